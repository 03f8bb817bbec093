# Runs on the machine: starts number 1 of the namespaces, and ends it when the pipe from our process (standard input) closes.
#
# Words: `root` or `user`, then the words for sh in the namespaces. What the command reads from standard input comes as descriptor 4.
#
# The user namespace of root maps all users, so that files, `chown` and `--uid-owner` are as usual; over the machine it gives no rights. That of
# an ordinary user maps to root alone.

exec 3<&0
# It is not there where our standard input is a terminal.
# shellcheck disable=SC2188
(<&4) 2>/dev/null || exec 4</dev/null
mode=$1
shift
spaces='--net --mount --pid --uts --ipc --fork --kill-child'
if [ "$mode" = root ]; then
  # shellcheck disable=SC2016
  unshare --user sh -c '
    until read -r line </proc/self/uid_map; do sleep 0.01; done 2>/dev/null
    spaces=$1; shift
    exec unshare $spaces -- "$@"' sh "$spaces" "$@" <&4 3<&- 4<&- &
  work=$!
  own=$(readlink /proc/self/ns/user)
  while [ "$(readlink "/proc/$work/ns/user")" = "$own" ]; do sleep 0.01; done
  # All that is mapped here, to the same numbers there; in one piece, as the kernel wants it.
  for map in gid_map uid_map; do
    mapped=$(while read -r inside _ count; do echo "$inside $inside $count"; done <"/proc/self/$map")
    echo "$mapped" >"/proc/$work/$map" || kill -KILL "$work"
  done
else
  # In two steps: files of a network belong to root of its users only where users were mapped before it was made.
  # shellcheck disable=SC2086
  unshare --user --map-root-user unshare $spaces -- "$@" <&4 3<&- 4<&- &
  work=$!
fi
exec 4<&- 1>&-
{ cat <&3 >/dev/null; kill -KILL "$work"; } 2>/dev/null &
wait "$work"
