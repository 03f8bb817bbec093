import { describe, expect, it } from "vitest";

import { parseTranslateWords } from "../../src/cli/commands/translate/options.js";
import { translate, type TranslateOptions } from "../../src/translate.js";

const throttle = ["-m recent --name ssh --set", "-m recent --name ssh --update --seconds 60 --hitcount 4 -j DROP"];

function forNft(targetNft: string, rules: readonly string[], options: TranslateOptions = {}) {
  const dump = `*filter\n:INPUT ACCEPT [0:0]\n${rules.map((rule) => `-A INPUT ${rule}\n`).join("")}COMMIT\n`;
  const { script, diagnostics } = translate(dump, { family: "ipv4", ...options, targetNft });
  return {
    script: script!,
    codes: diagnostics.filter(({ severity }) => severity !== "note").map(({ code, span }) => `${span.line}:${span.column} ${code}`),
    diagnostics,
  };
}

describe("--target-nft", () => {
  it("changes nothing for an nft that loads the script", () => {
    const dump = "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -m recent --remove -j DROP\nCOMMIT\n";
    const { nft, ...others } = translate(dump, { targetNft: "0.9.7" });
    const { nft: plain, ...same } = translate(dump);
    expect(others).toEqual(same);
    expect(nft).toEqual({ ...plain, targetNft: "0.9.7" });
  });

  it("writes a hit count as a limit where rules cannot delete from sets", () => {
    const { script, codes } = forNft("0.9.2", throttle);
    expect(codes).toEqual(["4:53 recent-limit-form"]);
    expect(script).toContain("limit rate over 4/minute");
    expect(script).not.toContain("delete @");
  });

  it("keeps the exact forms that delete nothing", () => {
    const check = "-m recent --name ssh --rcheck --seconds 60 --hitcount 2 -j DROP";
    const { codes } = forNft("0.9.2", [check, "-m recent --name ssh --set"]);
    expect(codes).toEqual([]);
  });

  it("refuses the check instead where only an exact window will do", () => {
    const { script, codes } = forNft("0.9.2", throttle, { recent: "exact" });
    expect(codes).toEqual(["4:53 needs-newer-nft"]);
    expect(script).not.toContain("delete @");
  });

  it("refuses to take a host off a list", () => {
    const { codes, diagnostics } = forNft("0.9.1", [...throttle, "-p tcp --dport 22 -m recent --name ssh --remove"]);
    expect(codes).toContain("5:49 needs-newer-nft");
    expect(diagnostics.find(({ code }) => code === "needs-newer-nft")?.message).toMatch(
      /^list "ssh": taking a host off it needs nft 0\.9\.3, .* it takes no host off list "ssh" any more/,
    );
  });

  it("refuses a rule by the match that is too new, and keeps what it records before that", () => {
    const { script, codes } = forNft("0.9.1", [
      "-m recent --name web --set -m time --timestart 08:00 -m recent --name late --set -j DROP",
      "-m recent --name web --rcheck --seconds 60 -j DROP",
    ]);
    expect(codes).toEqual(["3:37 needs-newer-nft"]);
    expect(script).toContain("\tupdate @web_recent { ip saddr }\n");
  });

  it("leaves nothing of a refused target behind", () => {
    const dump = "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp -m tcp --dport 21 -j CT --helper ftp\nCOMMIT\n";
    const { script, diagnostics } = translate(dump, { family: "ipv4", targetNft: "0.9.1" });
    expect(diagnostics.map(({ code, span }) => `${span.column} ${code}`)).toEqual(["40 needs-newer-nft"]);
    expect(script).not.toMatch(/\n\t(set|ct helper)/);
  });

  it("is a version from 0.9.1 on", () => {
    for (const version of ["0.9.0", "0.8.5", "new", "1", "", "1.0.6.2"]) {
      expect(() => translate("", { targetNft: version })).toThrow(RangeError);
      expect(parseTranslateWords(["--target-nft", version])).toMatchObject({ error: true });
    }
    expect(parseTranslateWords(["--target-nft", "1.0.6"])).toMatchObject({ settings: { targetNft: "1.0.6" } });
    expect(parseTranslateWords([])).toMatchObject({ settings: { targetNft: undefined } });
  });
});
