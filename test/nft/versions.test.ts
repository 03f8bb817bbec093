import { expect, it } from "vitest";

import { requirements } from "../../src/nft/requirements.js";
import { features, isOlder, isVersion, type Feature } from "../../src/nft/versions.js";
import { translate } from "../../src/translate.js";

it("compares versions by their numbers", () => {
  expect(isOlder("0.9.3", "0.9.10")).toBe(true);
  expect(isOlder("1.0", "1.0.0")).toBe(false);
  expect(isOlder("1.0.6", "0.9.9")).toBe(false);
  expect(isOlder("4.18", "5.4")).toBe(true);
  expect(["1.0.6", "1.1", "0.9.8"].filter(isVersion)).toHaveLength(3);
  expect(["", "1", "1.0.6.1", "v1.0.6", "1.0.6-2", "1..6"].filter(isVersion)).toEqual([]);
});

it("knows no feature older than what every script needs, and a source for each", () => {
  for (const feature of Object.values<Feature>(features)) {
    expect([feature.name, isVersion(feature.nft), isVersion(feature.kernel), isOlder(feature.nft, features.base.nft)]).toEqual([
      feature.name,
      true,
      true,
      false,
    ]);
    expect(feature.source).not.toBe("");
  }
});

it("finds what a script needs, and what for", () => {
  const rule = (text: string): string => `*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD ${text} -j DROP\nCOMMIT\n`;
  const needs = (text: string, targetNft?: string): readonly string[] => {
    const { nft, kernel, by } = requirements(translate(rule(text), { ...(targetNft !== undefined && { targetNft }) }).nft!);
    return [nft, kernel, ...by.nft.map(({ name }) => name), ...by.kernel.map(({ name }) => name)];
  };
  expect(needs("-p tcp -m tcp --dport 22")).toEqual(["0.9.1", "3.18"]);
  expect(needs("-m recent --set")).toEqual(["0.9.7", "4.18", features.setComment.name, features.dynamicSet.name]);
  expect(needs("-m recent --remove")).toEqual(["0.9.7", "5.4", features.setComment.name, features.setDeletion.name]);
  expect(needs("-m recent --remove", "0.9.3")).toEqual(["0.9.3", "5.4", features.setDeletion.name, features.setDeletion.name]);
});

it("is told in the script's header", () => {
  const { script } = translate("*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -j MASQUERADE\nCOMMIT\n");
  expect(script).toContain("\n# Needs nft 0.9.1 and Linux 4.18 (a nat chain beside those of iptables).\n");
});
