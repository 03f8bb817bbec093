# Puts the old firewall back. Runs where the folder of one change lies, needs nothing but that folder, sh and the programs that hold
# the firewall, and may be killed and begun again at any point.
#
#     sh FOLDER/roll-back.sh watch SECONDS   waits until the change is confirmed, or until its deadline and SECONDS more
#     sh FOLDER/roll-back.sh now             takes back a change, confirmed or not
#     sh FOLDER/roll-back.sh boot            takes back a change that was not confirmed before the machine stopped
#     sh FOLDER/roll-back.sh settle          takes away what a confirmed change no longer needs
#
# One file of the folder says what is decided: armed, confirmed, undoing, undone. Renaming it is the decision, so that of two who
# decide at once one fails. README.md beside this file has the rest.
set -u
umask 077
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin
export PATH
cd "${0%/*}" || exit 1
mode=$1
more=${2:-0}

now() {
  read -r uptime _ </proc/uptime
  echo "${uptime%.*}"
}

say() {
  # A full disk must not stop it.
  { echo "$(now) $$ $mode: $*" >>roll-back.log; } 2>/dev/null || :
}

started_at() {
  { sed -e 's/^.*) //' "/proc/$1/stat" | cut -d ' ' -f 20; } 2>/dev/null
}

# Whether the process that makes the change still lives; its number may be another's since.
holder_lives() {
  { read -r pid started <holder; } 2>/dev/null && [ "$(started_at "$pid")" = "$started" ]
}

end_holder() {
  holder_lives || return 0
  say "process $pid holds the lock and does not go on: it is killed"
  kill -s KILL "$pid" 2>/dev/null || :
}

# Whoever changes the firewall holds the lock, and so do the programs that he has started.
take_lock() {
  # Not a bare exec: a folder that cannot be written to would end the shell.
  { command exec 9>>../lock; } 2>/dev/null || return 0
  if flock -w 15 9; then return 0; fi
  end_holder
  flock -w 60 9 || say "the lock stays held; going on without it"
}

drop_lock() {
  exec 9>&-
}

# The rules without what differs from one reading to the next.
rules_of() {
  sed -e '/^#/d' -e 's/^\[[0-9]*:[0-9]*\] //' -e '/^:/s/ \[[0-9]*:[0-9]*\]$//' "$@"
}

restore_sets() {
  for file in sets/*; do
    [ -e "$file" ] || continue
    read -r _ name _ <"$file"
    # Sets are not touched by a change: one that is there has newer elements.
    ipset -q -t list "$name" >/dev/null 2>&1 || ipset -! restore <"$file" || say "the set $name cannot be restored"
  done
}

# Hosts that the list does not know. Lines of the file: its name, then a host and the second until which its hits count.
restore_lists() {
  for file in lists/*; do
    [ -e "$file" ] || continue
    {
      IFS= read -r name
      list=/proc/net/xt_recent/$name
      [ -w "$list" ] || continue
      known=" $(cut -d ' ' -f 1 "$list" | tr '\n' ' ')"
      seconds=$(date +%s)
      while read -r host until address; do
        case $known in *" src=$address "*) continue ;; esac
        [ "$until" = - ] || [ "$until" -gt "$seconds" ] || continue
        echo "+$host" >"$list" || say "the host $host cannot be put on the list $name"
      done
    } <"$file" 2>/dev/null
  done
}

# Hits that the new firewall has seen. Once at most, so that none counts twice: a list that a kill came over keeps what it has by then.
restore_hits() {
  for file in since/*.hits; do
    [ -e "$file" ] && mv "$file" "$file.begun" || continue
    {
      IFS= read -r name
      list=/proc/net/xt_recent/$name
      [ -w "$list" ] || continue
      seconds=$(date +%s)
      while read -r host until; do
        [ "$until" = - ] || [ "$until" -gt "$seconds" ] || continue
        echo "+$host" >"$list" || say "the host $host cannot be put on the list $name"
      done
    } <"$file.begun" 2>/dev/null
  done
}

restore_rules() {
  failed=0
  for old in legacy.ipv4 legacy.ipv6 nft.ipv4 nft.ipv6; do
    [ -e "$old" ] || continue
    { read -r save && read -r restore; } <"$old.programs"
    # Of rules that stay with other programs only the chains that went are put back.
    whole=$old
    part=
    if [ -e "$old.whole" ]; then
      whole=$old.whole
      part=--noflush
    fi
    if [ "$("$save" | rules_of)" = "$(rules_of "$whole")" ]; then continue; fi
    if "$restore" -w 20 -c $part <"$old" 2>>roll-back.log || "$restore" -c $part <"$old"; then
      say "restored $old"
    else
      say "cannot restore $old"
      failed=1
    fi
  done
  return "$failed"
}

take_back() {
  if [ -e changed ]; then
    # The old first: as long as both are there, a packet passes that both let pass.
    restore_sets
    restore_rules || return 1
    restore_lists
    restore_hits
    nft -f remove.nft || return 1
    say "removed the new firewall"
  fi
  tidy
}

# What a change needs while it waits.
tidy() {
  for kept in legacy.ipv4.kept legacy.ipv6.kept; do
    [ -e "$kept" ] || continue
    { read -r program && read -r table && read -r chain; } <"$kept"
    "$program" -w 20 -t "$table" -F "$chain" 2>/dev/null && "$program" -w 20 -t "$table" -X "$chain" 2>/dev/null
  done
  if [ -e unit ]; then
    while read -r path; do rm -f "$path"; done <unit
    systemctl daemon-reload 2>/dev/null
  fi
  :
}

in_place() {
  { read -r boot && read -r namespace && read -r first; } <place || return 1
  if [ "$boot" != "$(cat /proc/sys/kernel/random/boot_id)" ]; then
    # A namespace of its own does not outlive the machine's stop.
    [ "$first" = initial ] && [ "$(readlink /proc/self/ns/net)" = "$(readlink /proc/1/ns/net)" ]
    return
  fi
  [ "$namespace" = "$(readlink /proc/self/ns/net)" ]
}

rebooted() {
  read -r boot <place && [ "$boot" != "$(cat /proc/sys/kernel/random/boot_id)" ]
}

roll_back() {
  in_place || {
    say "this is another network namespace than the one that was changed"
    return 3
  }
  take_lock
  if [ -e armed ]; then mv armed undoing; fi
  if [ "$mode" = now ] && [ -e confirmed ]; then mv confirmed undoing; fi
  sync . 2>/dev/null || :
  result=0
  # Where nothing can be written any more nobody can confirm either, and the way back is open all the same.
  if [ -e undoing ] || [ -e armed ]; then
    if take_back; then
      mv undoing undone
      say "the old firewall decides alone"
    else
      result=1
    fi
  fi
  drop_lock
  return "$result"
}

# Whoever held the file first has confirmed the change.
settle() {
  in_place && [ -e confirmed ] || return 0
  take_lock
  [ -e confirmed ] && tidy
  drop_lock
}

case $mode in
now) roll_back ;;
boot)
  if [ -e armed ] || [ -e undoing ]; then roll_back; fi
  ;;
watch)
  echo "$$ $(started_at $$)" >"watching.$more" || exit 1
  while [ -e armed ] || [ -e undoing ]; do
    if rebooted || [ -e undoing ]; then
      # Somebody who takes the change back holds the lock; what he leaves undone is for this process.
      roll_back && break
    elif ! holder_lives && [ ! -e waiting ]; then
      say "the process that made the change ended before it was done"
      roll_back && break
    else
      read -r deadline <deadline && [ "$(now)" -ge "$((deadline + more))" ] && roll_back && break
    fi
    sleep 1
  done
  settle
  ;;
settle) settle ;;
*)
  echo "roll-back.sh watch SECONDS | now | boot | settle" >&2
  exit 2
  ;;
esac
