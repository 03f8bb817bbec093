# Number 1 of the namespaces: builds a root of private copies, puts stand-ins for programs into it, makes the interfaces, runs the command,
# kills what that has left behind, and prints what is in the kernel then.
#
# Words, before the command:
#   folder      where the command runs
#   megabytes   that may be written in all
#   peers       lines for `ip -batch`: the interfaces, made from the side of their other ends
#   addresses   lines for `ip -batch`: what they are given
#   always      programs that are held, present or not
#   present     programs that are held where this machine has them
#   failing     programs that ask the network
# and the texts of the stand-ins: log, firewall, held, failing, ip, ifconfig, route, sysctl, sudo.
#
# Standard output takes the result in parts: a line `name length`, then so many bytes. Standard error takes what the command prints.

folder=$1 megabytes=$2 peers=$3 addresses=$4 always=$5 present=$6 failing=$7
shift 7
# Where what is ours lies in the new root; the stand-ins know it, too.
ours=/.ipt2nft-recent
# What is mounted here is gone in the new root anyway.
memory=/run
root=$memory/root own=$memory/ours
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin
exec 5>&1 1>&2
umask 022

part() {
  length=$(wc -c <"$2")
  echo "$1 $((length))" >&5
  cat "$2" >&5
}
fault() {
  echo "fault ${#1}" >&5
  printf %s "$1" >&5
  exit 0
}

mount --make-rprivate / || fault 'mounts cannot be made private'
mount_points="
$(while read -r _ _ _ _ point _; do printf '%b\n' "$point"; done </proc/self/mountinfo)"
# Some systems have links to all programs in it.
run_links=$(find /run -maxdepth 1 -type l -exec sh -c 'for link; do echo "$link $(readlink "$link")"; done' sh {} + 2>/dev/null)
mount -t tmpfs -o "mode=755,size=${megabytes}m" tmpfs $memory || fault 'no file system in memory can be mounted'
mkdir $root $memory/layers $own
# Apart, so that the stand-ins can write their log when the command has filled the rest.
mount -t tmpfs -o mode=755,size=64m tmpfs $own || fault 'no file system in memory can be mounted'
mkdir $own/real $own/stand-in $own/front $own/result

# ---------------------------------------------------------------------------------------------------- stand-ins

printf %s "$1" >$own/stand-in/log
chmod 755 $own/stand-in/log
text_firewall=$2 text_held=$3 text_failing=$4 text_ip=$5 text_ifconfig=$6 text_route=$7 text_sysctl=$8 text_sudo=$9
shift 9

firewall='iptables iptables-restore iptables-save ip6tables ip6tables-restore ip6tables-save'
variants=$(for name in $firewall; do
  rest=${name#*tables}
  echo "$name" "${name%"$rest"}-legacy$rest" "${name%"$rest"}-nft$rest"
done)

# Writes the stand-in for a program into a folder. No program is started for it: there are many.
put_stand_in() {
  case $1 in
  iptables* | ip6tables* | ipset) text=$text_firewall ;;
  ip) text=$text_ip ;;
  sysctl) text=$text_sysctl ;;
  ifconfig | hostname) text=$text_ifconfig ;;
  sudo | doas) text=$text_sudo ;;
  route | tc | brctl | bridge) text=$text_route ;;
  *) case " $failing " in *" $1 "*) text=$text_failing ;; *) text=$text_held ;; esac ;;
  esac
  printf %s "$text" >"$2/$1"
}

# The program itself stays at hand in a folder of ours: its own place is taken. It is the machine's own file, which belongs to root here, too.
keep() {
  kept=$own/real/$2
  : >"$kept"
  mount --bind "$1" "$kept" && mount -o remount,bind,ro "$kept" && return
  umount "$kept"
  cp "$1" "$kept" && chmod 755 "$kept"
} 2>/dev/null

for name in mount umount ip ifconfig hostname route tc brctl bridge sysctl ipset; do
  path=$(command -v $name) && keep "$path" $name
done
for variant in -legacy ''; do
  command -v iptables$variant-restore >/dev/null && command -v ip6tables$variant-restore >/dev/null || continue
  candidates="$candidates x$variant"
  mkdir "$own/real/x$variant"
  for name in $firewall; do
    rest=${name#*tables}
    path=$(command -v "${name%"$rest"}$variant$rest") && keep "$path" "x$variant/$name"
  done
done
[ -n "$candidates" ] || fault 'iptables is not installed'

names="$variants ipset $always $present $failing"
standard='/bin /sbin /usr/bin /usr/sbin /usr/local/bin /usr/local/sbin'
for name in $names; do command -v "$name"; done | while read -r path; do
  case " $standard " in *" ${path%/*} "*) continue ;; esac
  put_stand_in "${path##*/}" $own/front
done

# Puts stand-ins for the programs of the folder $1 into its upper layer $2.
hide_programs() {
  for bin in $standard; do
    case $bin/ in "$1"/*) ;; *) continue ;; esac
    [ -d "$bin" ] && [ ! -L "$bin" ] || continue
    into=$2${bin#"$1"}
    mkdir -p "$into"
    for name in $names; do
      [ -e "$bin/$name" ] || [ -L "$bin/$name" ] || continue
      put_stand_in "$name" "$into"
    done
    # Scripts call them by paths of all kinds.
    case $bin in
    /usr/local/*) ;;
    *) for name in $always; do put_stand_in "$name" "$into"; done ;;
    esac
    chmod -R 755 "$into"
  done
}

# ----------------------------------------------------------------------------------------------- private copies

read -r _ _ count </proc/self/uid_map
[ "$count" -gt 1 ] && all_users=1
layers=0

# A layer over a folder in which nothing is mounted: what is written stays in memory.
layer() {
  layers=$((layers + 1))
  one=$memory/layers/$layers
  mkdir -p "$one/upper" "$one/work" "$root$1"
  echo "$1" >"$one/of"
  # In a folder of a user who is not mapped nothing could be made.
  case ${all_users:-$1} in
  /var | /srv | /opt) (cd "$1" && find . -xdev -maxdepth 3 -type d -print0 | (cd "$one/upper" && xargs -0 mkdir -p)) ;;
  esac 2>/dev/null
  hide_programs "$1" "$one/upper"
  # From Linux 5.11 on; `userxattr` is what lets a user namespace replace whole folders.
  for options in ,userxattr ''; do
    mount -t overlay overlay -o "lowerdir=$1,upperdir=$one/upper,workdir=$one/work$options" "$root$1" 2>/dev/null && return
  done
  case $1 in /usr* | /bin | /sbin) uncovered=1 ;; esac
  return 1
}
read_only() { mkdir -p "$root$1" && mount --rbind "$1" "$root$1" && mount -o remount,bind,ro "$root$1"; }
copy() {
  # What mount takes for a sign.
  case $1 in *[:,\\]*) read_only "$1" && return ;; esac
  case $mount_points in
  *"
$1/"*) ;;
  *)
    layer "$1" || read_only "$1"
    return
    ;;
  esac
  mkdir -p "$root$1"
  # A layer for each of so many would take long.
  if [ "$(find "$1" -maxdepth 1 | wc -l)" -gt 200 ]; then
    read_only "$1"
    return
  fi
  for entry in "$1"/* "$1"/.[!.]*; do
    if [ -L "$entry" ]; then
      cp -P "$entry" "$root$entry"
    elif [ -d "$entry" ]; then
      copy "$entry"
    elif [ -f "$entry" ] && [ -r "$entry" ]; then
      : >"$root$entry" && mount --bind "$entry" "$root$entry" && mount -o remount,bind,ro "$root$entry"
    fi
  done
}

for entry in /* /.[!.]*; do
  case $entry in
  /proc | /sys | /dev | /run | $ours) ;;
  # In a layer, files of users who are not mapped could not be changed.
  /etc) if [ -n "$all_users" ]; then copy /etc; else mkdir $root/etc && cp -a /etc/. $root/etc; fi ;;
  *)
    if [ -L "$entry" ]; then
      cp -P "$entry" "$root$entry"
    elif [ -d "$entry" ]; then
      copy "$entry"
    fi
    ;;
  esac
done 2>/dev/null
[ -z "$uncovered" ] || fault 'no overlay file system can be mounted in a user namespace (Linux 5.11 or newer can)'
# Nobody waits for names of hosts without a network.
{ sed /^hosts:/d $root/etc/nsswitch.conf; echo 'hosts: files'; } >$own/names 2>/dev/null
cat $own/names >$root/etc/nsswitch.conf
mkdir -p $root/proc $root/sys $root/dev $root/run/lock $root$ours $root/tmp
chmod 1777 $root/tmp
printf '%s\n' "$run_links" | while read -r link target; do [ -z "$link" ] || ln -s "$target" "$root$link"; done
mount -t proc proc $root/proc 2>/dev/null || fault 'the kernel allows no /proc of its own to namespaces here, as in many containers'
mount -t sysfs -o ro sysfs $root/sys 2>/dev/null || { mount --rbind /sys $root/sys && mount -o remount,bind,ro $root/sys; }
mkdir $root/dev/shm
chmod 1777 $root/dev/shm
# They are the machine's own, and so are their modes; a device can be written to all the same.
for name in null zero full random urandom tty; do
  : >$root/dev/$name && mount --bind /dev/$name $root/dev/$name && mount -o remount,bind,ro $root/dev/$name
done 2>/dev/null
ln -s null $root/dev/console
ln -s null $root/dev/kmsg
ln -s /proc/self/fd $root/dev/fd
for name in 0:stdin 1:stdout 2:stderr; do ln -s "fd/${name%:*}" "$root/dev/${name#*:}"; done
mount --rbind $own $root$ours
mkdir $root$ours/layers
mount --bind $memory/layers $root$ours/layers
mkdir $root/before
mount --rbind $root $root && cd $root && pivot_root . before || fault 'the root of the file system cannot be changed'
cd / && $ours/real/umount -l /before && rmdir /before || fault 'the file system of the machine cannot be taken away'

# What would reach the machine from a new /proc, where root is root: reboots, interrupts, devices, and the modes of all its files.
# All in one mount, since there are some fifty.
for path in /proc/*; do
  case $path in /proc/[0-9]* | /proc/sys) continue ;; esac
  [ -L "$path" ] || echo "$path $path none bind,ro 0 0"
done >$ours/mounts
$ours/real/mount -a -T $ours/mounts 2>/dev/null

# ---------------------------------------------------------------------------------------- network and iptables

for candidate in $candidates; do
  real=$ours/real/$candidate
  # Asking makes the tables, so somewhere else.
  # shellcheck disable=SC2016
  unshare --net sh -c '"$1/iptables" -S && "$1/ip6tables" -S' sh "$real" >/dev/null 2>$ours/said && chosen=$real && break
done
[ -n "$chosen" ] || fault "iptables does not work in namespaces here: $(head -n 3 $ours/said)"
for name in $firewall; do ln -s "$chosen/$name" "$ours/real/$name"; done

if [ -x $ours/real/ip ]; then
  ip=$ours/real/ip
  : >$ours/peers
  # What the kernel sends by itself would stand in the counters.
  for key in router_solicitations dad_transmits; do echo 0 >/proc/sys/net/ipv6/conf/default/$key; done
  $ip link set lo up
  unshare --net=$ours/peers true && printf '%s\n' "$peers" | nsenter --net=$ours/peers $ip -force -batch -
  printf '%s\n' "$addresses" | $ip -force -batch -
fi >/dev/null 2>$ours/interfaces

mkdir $ours/sys
cp -R /proc/sys/. $ours/sys 2>/dev/null
chmod -R u+rw $ours/sys
$ours/real/mount --bind $ours/sys /proc/sys || $ours/real/mount -o remount,bind,ro /proc/sys

# ------------------------------------------------------------------------------------------------- the command

export PATH="$ours/front:$PATH"
cd "$folder" || fault "the folder \"$folder\" is not there in the namespaces"
: >$ours/log
: >$ours/began
# Times of files have the width of a tick.
sleep 0.02
# Nothing that is read-only can be made writable without the first right, nor by a process that has it without the second.
limit='setpriv --bounding-set -sys_admin,-sys_ptrace --inh-caps -sys_admin,-sys_ptrace --'
$limit true 2>/dev/null || limit=
echo 'began 0' >&5
$limit "$@" 5>&-
status=$?
echo 'ended 0' >&5
kill -s KILL -- -1 2>/dev/null

cd /
[ ! -e $ours/log ] || echo >>$ours/log || fault 'the script had so many commands held that there is no room to list them'
# Whatever the command has filled: nothing of the firewall may be cut off.
result=$ours/result
$ours/real/mount -t tmpfs -o mode=755,size=300m tmpfs $result || fault 'no file system in memory can be mounted'
echo "$status" >$result/status
{ "$chosen/iptables" -V; [ ! -x $ours/real/ipset ] || $ours/real/ipset -v 2>/dev/null; uname -r; } >$result/versions
"$chosen/iptables-save" -c >$result/ipv4 2>$result/unsaved || fault "iptables-save: $(head -n 3 $result/unsaved)"
"$chosen/ip6tables-save" -c >$result/ipv6 2>$result/unsaved || fault "ip6tables-save: $(head -n 3 $result/unsaved)"
[ ! -x $ours/real/ipset ] || $ours/real/ipset save -sorted >$result/sets 2>/dev/null || : >$result/sets
for list in /proc/net/xt_recent/*; do
  [ -e "$list" ] && echo "list ${list##*/}" && cat "$list"
done >$result/lists
# What the jiffies in there mean, a list of our own tells, twice.
if grep -q '^src=' $result/lists && "$chosen/iptables" -N ipt2nft-clock &&
  "$chosen/iptables" -A ipt2nft-clock -m recent --name ipt2nft-clock --rcheck; then
  clock=/proc/net/xt_recent/ipt2nft-clock
  for wait in 0.4 0; do
    { echo / >$clock && echo +192.0.2.1 >$clock; } 2>/dev/null || break
    read -r uptime _ </proc/uptime
    sed -n "s/.* last_seen: \([0-9]*\) .*/clock \1 $uptime/p" $clock
    sleep $wait
  done >>$result/lists
fi
{
  # Files that stand there read-only, others may have changed.
  find / -xdev -path $ours -prune -o -newer $ours/began ! -type d -print | while read -r path; do [ ! -w "$path" ] || echo "$path"; done
  find $ours/sys -newer $ours/began -type f | sed "s:^$ours/sys:/proc/sys:"
  find $ours/layers -path '*/upper/*' -newer $ours/began ! -type d | while read -r path; do
    path=${path#"$ours/layers/"}
    of=''
    read -r of <"$ours/layers/${path%%/*}/of"
    echo "$of/${path#*/upper/}"
  done
} 2>/dev/null | head -n 1000 >$result/written
for name in interfaces log; do [ ! -e $ours/$name ] || part $name $ours/$name; done
for name in versions ipv4 ipv6 sets lists written status; do [ ! -e $result/$name ] || part $name $result/$name; done
