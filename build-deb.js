/**
 * Builds the Debian package: dist/ipt2nft-recent_VERSION_all.deb, byte for byte the same from the same source.
 *
 *     node build-deb.js [--directory dist]
 *
 * Needs dpkg-deb and no network. SOURCE_DATE_EPOCH (seconds) is the date of everything in it, otherwise that of the last commit;
 * DEBFULLNAME and DEBEMAIL are the maintainer's.
 */

import { spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { createHash } from "node:crypto";

const { values: options } = parseArgs({ options: { directory: { type: "string", default: "dist" } } });
process.chdir(fileURLToPath(new URL(".", import.meta.url)));
// It takes the directory that it is loaded in.
const { joinNotices, knownReleaseTime, splitNotices } = await import("./bundling.js");
const { name, version, description, license, files } = JSON.parse(readFileSync("package.json", "utf8"));
const epoch = knownReleaseTime();
const maintainer = `${process.env.DEBFULLNAME || `${name} contributors`} <${process.env.DEBEMAIL || `${name}@users.noreply.github.com`}>`;
const root = mkdtempSync(join(tmpdir(), `${name}-deb-`));

try {
  installCommand(join("usr", "share", name));
  installManualAndCompletions();
  installPages(join("usr", "share", "doc", name));
  writeControl();
  settle(root);
  const file = join(options.directory, `${name}_${version}_all.deb`);
  run("dpkg-deb", ["--root-owner-group", "-Zxz", "--build", root, file]);
  process.stdout.write(`${file}\n`);
} finally {
  rmSync(root, { recursive: true, force: true });
}

function run(program, words) {
  const { status, error, stderr } = spawnSync(program, words, {
    encoding: "utf8",
    env: { ...process.env, SOURCE_DATE_EPOCH: String(epoch), LC_ALL: "C.UTF-8" },
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`${program} failed: ${stderr}`);
}

function write(path, content) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

function copy(from, to) {
  mkdirSync(dirname(join(root, to)), { recursive: true });
  cpSync(from, join(root, to), { recursive: true });
}

function built(...path) {
  return join(root, "built", ...path);
}

function installCommand(folder) {
  run(process.execPath, ["build.js", "--directory", built(), "--no-types"]);
  const command = readFileSync(built("ipt2nft-recent.js"), "utf8");
  // Root's PATH does not decide which program reads it.
  write(join(folder, "dist", "ipt2nft-recent.js"), command.replace(/^#!.*/, "#!/usr/bin/node"));
  chmodSync(join(root, folder, "dist", "ipt2nft-recent.js"), 0o755);
  // What V8 made of the translation is that of one version only, and not the same twice.
  for (const file of readdirSync(built("parts"))) if (file.endsWith(".compiled")) rmSync(built("parts", file));
  for (const part of ["index.mjs", "package.json", "parts"]) copy(built(part), join(folder, "dist", part));
  const manifest = { name, version, description, license, type: "module", exports: "./dist/index.mjs" };
  write(join(folder, "package.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
  mkdirSync(join(root, "usr", "bin"), { recursive: true });
  symlinkSync(join("..", "share", name, "dist", "ipt2nft-recent.js"), join(root, "usr", "bin", name));
}

function installManualAndCompletions() {
  for (const page of readdirSync(built("man"))) {
    write(join("usr", "share", "man", "man1", `${page}.gz`), gzipSync(readFileSync(built("man", page)), { level: 9 }));
  }
  const share = (...path) => join("usr", "share", ...path);
  copy(built("completions", name), share("bash-completion", "completions", name));
  copy(built("completions", `_${name}`), share("zsh", "vendor-completions", `_${name}`));
  copy(built("completions", `${name}.fish`), share("fish", "vendor_completions.d", `${name}.fish`));
}

/** The pages with what they link to, as the package of npm has them. */
function installPages(folder) {
  for (const pattern of files.filter((one) => !/^(?:!|dist$|LICENSE$)/.test(one))) {
    const [where, ending] = pattern.split("/*");
    if (ending === undefined) copy(where, join(folder, where));
    else for (const file of readdirSync(where)) if (file.endsWith(ending)) copy(join(where, file), join(folder, where, file));
  }
  const date = new Date(1000 * epoch).toUTCString().replace("GMT", "+0000");
  const entry = `${name} (${version}) unstable; urgency=medium\n\n  * See CHANGELOG.md.\n\n -- ${maintainer}  ${date}\n`;
  write(join(folder, "changelog.gz"), gzipSync(entry, { level: 9 }));
  const others = splitNotices(readFileSync(built("third-party-licenses.txt"), "utf8")).map((notice) => {
    const [title, copyright] = [notice.trim().split("\n")[0], /^ *Copyright .*[0-9]{4}.*$/m.exec(notice)?.[0].trim()];
    if (!title.endsWith("(Apache-2.0)")) return notice;
    return `${title}\n\n${copyright ? `${copyright}\n\n` : ""}The license is in /usr/share/common-licenses/Apache-2.0.\n`;
  });
  const own = `${readFileSync("LICENSE", "utf8")}\nThe command holds the packages that follow.\n`;
  write(join(folder, "copyright"), joinNotices([own, ...others]));
  rmSync(built(), { recursive: true });
}

function writeControl() {
  const installed = entriesOf(root).filter((path) => lstatSync(path).isFile());
  const size = installed.reduce((sum, path) => sum + Math.ceil(lstatSync(path).size / 1024), 0);
  const sums = installed.map((path) => `${createHash("md5").update(readFileSync(path)).digest("hex")}  ${relative(root, path)}\n`);
  write(
    join("DEBIAN", "control"),
    `Package: ${name}
Version: ${version}
Architecture: all
Maintainer: ${maintainer}
Installed-Size: ${size}
Depends: nodejs (>= 18.19)
Recommends: ipset, iptables, nftables
Suggests: git, iproute2, procps, tcpreplay
Section: net
Priority: optional
Description: translator of iptables firewalls to nftables, -m recent included
 Moves an iptables firewall to nftables without changing what it lets through.
 What cannot be carried over is named, with the reason, and with what the loss
 opens or closes.
 .
 Beside the translation it has a review of changes in words, a search for
 traffic that is decided otherwise, a change of a running machine that comes
 back unless it is confirmed, and a view of the lists of hosts that rules with
 -m recent keep.
`,
  );
  write(join("DEBIAN", "md5sums"), sums.join(""));
}

/** Everything below, in the order of the names. */
function entriesOf(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => [join(folder, entry.name), ...(entry.isDirectory() ? entriesOf(join(folder, entry.name)) : [])]);
}

/** Gives everything the same date, and modes that hang neither on the umask nor on the clone. */
function settle(folder) {
  for (const path of [...entriesOf(folder), folder]) {
    const status = lstatSync(path);
    if (!status.isSymbolicLink()) chmodSync(path, status.isDirectory() || isProgram(path) ? 0o755 : 0o644);
    lutimesSync(path, epoch, epoch);
  }
}

function isProgram(path) {
  return path.endsWith(join("dist", "ipt2nft-recent.js"));
}
