/** The programs that have a stand-in while a script is captured, by what becomes of them. */

/** They succeed without an effect, whether or not this machine has them. */
const alwaysHeld = ["modprobe", "insmod", "rmmod", "depmod", "sysctl", "systemctl", "service", "logger"] as const;

/** The same, and what runs the command given to it: a captured script is root. */
export const alwaysThere = [...alwaysHeld, "sudo", "doas"] as const;

/** Their rules are in no dump of iptables. They succeed without an effect where the machine has them. */
export const otherFirewalls: readonly string[] = ["nft", "ebtables", "ebtables-restore", "arptables", "arptables-restore", "firewall-cmd"];

/** They fail as without a network where the machine has them. */
export const networkPrograms: readonly string[] = ["curl", "wget", "ssh", "scp", "rsync", "dig", "host", "nslookup", "ping", "ping6"];

/**
 * They succeed without an effect, and only where the machine has them: scripts ask for programs to find out what kind of machine
 * they run on.
 * What shows something of `ip`, `ifconfig`, `hostname`, `route`, `tc`, `brctl` and `bridge` works.
 */
export const heldWherePresent: readonly string[] = [
  ...["ip", "ifconfig", "route", "tc", "brctl", "bridge", "ifup", "ifdown", "dhclient", "udhcpc", "nmcli", "ipvsadm", "conntrack"],
  ...["rc-service", "rc-update", "update-rc.d", "chkconfig", "invoke-rc.d", "initctl", "start", "stop", "restart", "init", "telinit"],
  ...["reboot", "shutdown", "halt", "poweroff", "kexec", "hostname", "hostnamectl", "timedatectl", "hwclock"],
  ...["mount", "umount", "swapon", "swapoff", "crontab", "at", "batch", "docker", "podman", "mail", "mailx", "sendmail", "wall"],
  ...["apt", "apt-get", "yum", "dnf", "zypper", "apk", "pacman", "opkg", "snap"],
  ...otherFirewalls,
];
