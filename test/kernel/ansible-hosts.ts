/** Hosts for Ansible: namespaces with an sshd each, on a bridge with the controller, all of them gone with one process. */

import { execFileSync, spawn, spawnSync, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { rulesOf } from "../../src/cutover/saved-rules.js";

export interface Played {
  readonly status: number | null;
  /** All that was printed. */
  readonly text: string;
  /** The last lines of a play: numbers by host, such as `changed`. */
  readonly recap: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

export interface TestHost {
  /** In the inventory. */
  readonly name: string;
  readonly address: string;
  /** Which kind of iptables holds the rules. */
  readonly variant: "legacy" | "nft";
  readonly dumps: { readonly ipv4: string; readonly ipv6: string };
}

/** The number of the host that looks as if systemd ran there. */
export const systemdHost = 0;

/** In the place of the program: it enables and disables units, and writes what it is asked to /run/systemctl.log. */
const systemctl = `#!/bin/sh
echo "$*" >> /run/systemctl.log
cd /etc/systemd/system
case $1 in
show) printf 'LoadState=loaded\\nActiveState=inactive\\n' ;;
is-enabled) ls *.wants | grep -qx "$2.service" && echo enabled || { echo disabled; exit 1; } ;;
enable) : > "sysinit.target.wants/$2.service" ;;
disable) rm -f *.wants/"$2.service" ;;
esac
`;

/** Of the controller on the bridge. */
export const controllerAddress = "192.0.2.254";

export class AnsibleHosts {
  /** The sockets of ssh need a short path. */
  readonly folder = mkdtempSync(join(tmpdir(), "ipt2nft-a-"));
  private readonly holder: ChildProcess;
  private controller = 0;

  constructor(readonly hosts: readonly TestHost[]) {
    this.writeKeys();
    hosts.forEach(({ dumps }, index) => {
      writeFileSync(this.path(`dump.${index}.v4`), dumps.ipv4);
      writeFileSync(this.path(`dump.${index}.v6`), dumps.ipv6);
    });
    writeFileSync(this.path("host.sh"), hostScript(this.folder));
    writeFileSync(this.path("systemctl"), systemctl, { mode: 0o755 });
    writeFileSync(this.path("systemd-run"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
    writeFileSync(this.path("network.sh"), networkScript(this.folder, hosts));
    this.holder = spawn(
      "unshare",
      ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "bash", this.path("network.sh")],
      {
        stdio: ["ignore", "ignore", "inherit"],
      },
    );
  }

  path(...names: readonly string[]): string {
    return join(this.folder, ...names);
  }

  /** Waits until every sshd listens. Throws where that takes longer than half a minute. */
  async ready(): Promise<void> {
    for (const end = Date.now() + 30_000; ; await delay(50)) {
      if (this.hosts.every((_, index) => existsSync(this.path(`listens.${index}`)))) break;
      if (Date.now() > end || this.holder.exitCode !== null) throw new Error("the hosts do not come up");
    }
    const { pid } = this.holder;
    this.controller = Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim());
  }

  /** Runs lines of bash on the controller. */
  run(lines: string, environment: Readonly<Record<string, string>> = {}): { readonly status: number | null; readonly text: string } {
    const words = ["--target", String(this.controller), "--net", "--mount", "--pid", "bash", "--norc", "-c", `exec 2>&1\n${lines}`];
    const { SSH_CONNECTION: _, ...inherited } = process.env;
    const { status, stdout } = spawnSync("nsenter", words, {
      encoding: "utf8",
      timeout: 300_000,
      env: { ...inherited, PATH: `${inherited["PATH"]}:/usr/sbin:/sbin`, ...environment },
    });
    return { status, text: stdout };
  }

  /** Runs lines of bash on a host, without a connection. */
  on(index: number, lines: string): string {
    const pid = readFileSync(this.path(`pid.${index}`), "utf8").trim();
    return this.run(`nsenter --target ${pid} --net --mount --pid bash --norc -c '${lines.replaceAll("'", `'\\''`)}'`).text;
  }

  /** Runs a playbook. */
  play(words: string): Played {
    const { status, text } = this.run(`cd ${this.folder} && ansible-playbook ${words}`, this.environment());
    const recap = Object.fromEntries(
      [...(text.split("PLAY RECAP")[1]?.matchAll(/^(.*?) +: (ok=.*)$/gm) ?? [])].map(([, name, numbers]) => [
        name!,
        Object.fromEntries([...numbers!.matchAll(/(\w+)=(\d+)/g)].map(([, key, value]) => [key!, Number(value)])),
      ]),
    );
    return { status, text, recap };
  }

  /** What Ansible is told by its environment: nothing of the machine's own settings is used. */
  environment(): Record<string, string> {
    return {
      ANSIBLE_CONFIG: this.path("ansible.cfg"),
      ANSIBLE_HOME: this.path("ansible-home"),
      ANSIBLE_COLLECTIONS_PATH: this.path("collections"),
      HOME: this.path("home"),
    };
  }

  /** The firewall of a host: its old rules without counters, or the new one. Throws where it has both, or none. */
  firewall(index: number): "old" | "new" {
    const { variant, dumps } = this.hosts[index]!;
    const now = this.on(index, `iptables-${variant}-save -c; ip6tables-${variant}-save -c`);
    const hasNew = this.on(index, "nft list tables").includes(" ipt2nft");
    const tables = (text: string): string =>
      rulesOf(text)
        .replace(/\*\S+\n(?::\S+ ACCEPT\n)*COMMIT\n/g, "")
        .trim();
    if (tables(now) === tables(dumps.ipv4 + dumps.ipv6) && !hasNew) return "old";
    if (hasNew && !/^-A (?!ipt2nft-kept )/m.test(rulesOf(now))) return "new";
    throw new Error(`neither, ${hasNew ? "with" : "without"} the new one:\n${now}`);
  }

  remove(): void {
    this.holder.kill("SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
  }

  private writeKeys(): void {
    for (const name of ["host_key", "key"])
      execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", this.path(name)], { stdio: "pipe" });
    mkdirSync(this.path("home"));
    const hostKey = readFileSync(this.path("host_key.pub"), "utf8").split(" ").slice(0, 2).join(" ");
    writeFileSync(this.path("known_hosts"), this.hosts.map(({ address }) => `${address} ${hostKey}\n`).join(""));
    writeFileSync(
      this.path("sshd_config"),
      [
        `HostKey ${this.path("host_key")}`,
        `AuthorizedKeysFile ${this.path("key.pub")}`,
        "PermitRootLogin prohibit-password",
        "Subsystem sftp internal-sftp",
        "LogLevel QUIET",
        ...["UsePAM no", "StrictModes no", "PidFile none", "PrintMotd no", "PrintLastLog no", "UseDNS no", ""],
      ].join("\n"),
    );
    writeFileSync(
      this.path("ansible.cfg"),
      `[defaults]
inventory = ${this.path("inventory.json")}
forks = ${this.hosts.length}
timeout = 3
gathering = explicit
nocows = True
remote_tmp = /run/ansible
interpreter_python = /usr/bin/python3
[ssh_connection]
pipelining = True
control_path_dir = ${this.path("cp")}
ssh_args = -F none -o ControlMaster=auto -o ControlPersist=60s -o UserKnownHostsFile=${this.path("known_hosts")} -o IdentitiesOnly=yes
`,
    );
    const vars = ({ address, variant }: TestHost) => ({
      // Those of iptables-nft are what is used by default.
      ...(variant === "legacy" && {
        ipt2nft_recent_save_ipv4: ["iptables-legacy-save", "-c"],
        ipt2nft_recent_save_ipv6: ["ip6tables-legacy-save", "-c"],
      }),
      ansible_host: address,
      ansible_user: "root",
      ansible_ssh_private_key_file: this.path("key"),
    });
    const inventory = { all: { hosts: Object.fromEntries(this.hosts.map((host) => [host.name, vars(host)])) } };
    writeFileSync(this.path("inventory.json"), JSON.stringify(inventory));
  }
}

/** What the first process of the namespaces does. */
function networkScript(folder: string, hosts: readonly TestHost[]): string {
  return `set -e
cd ${folder}
mount -t tmpfs -o mode=755 none /run
ip link set lo up
VARIANT=(${hosts.map(({ variant }) => variant).join(" ")})
ip link add bridge type bridge
ip address add ${controllerAddress}/24 dev bridge
ip link set bridge up
for index in $(seq 0 ${hosts.length - 1}); do
  unshare --net --mount --pid --fork --kill-child --mount-proc bash host.sh $index \${VARIANT[index]} &
  until [ -e waits.$index ]; do sleep 0.02; done
  cat /proc/$!/task/$!/children > pid.$index
  ip link add host$index type veth peer name eth0 netns /proc/$!/ns/net
  ip link set host$index master bridge up
done
wait
`;
}

/** What the first process of a host does; its words are its number and the kind of iptables. */
function hostScript(folder: string): string {
  return `set -e
cd ${folder}
mount -t tmpfs -o mode=755 none /run
mount -t tmpfs -o mode=755 none /var/lib
mkdir /run/sshd /run/etc
cp -a /etc/. /run/etc
mount --bind /run/etc /etc
if [ $1 = ${systemdHost} ]; then
  mkdir -p /run/systemd/system /etc/systemd/system/multi-user.target.wants /etc/systemd/system/sysinit.target.wants
  rm -f /etc/systemd/system/*.wants/nftables.service
  : > /etc/systemd/system/nftables.service
  : > /etc/systemd/system/multi-user.target.wants/netfilter-persistent.service
  mount -t tmpfs -o mode=755 none /usr/local/sbin
  cp systemctl systemd-run /usr/local/sbin
fi
ip link set lo up
: > waits.$1
until ip link set eth0 up 2>/dev/null; do sleep 0.02; done
ip address add 192.0.2.$(($1 + 1))/24 dev eth0
iptables-$2-restore -c < dump.$1.v4
ip6tables-$2-restore -c < dump.$1.v6
( until ss -Htln 'sport = 22' | grep -q .; do sleep 0.05; done; : > listens.$1 ) &
exec /usr/sbin/sshd -D -e -f sshd_config
`;
}
