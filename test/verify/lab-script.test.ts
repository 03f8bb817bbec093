import { expect, it } from "vitest";
import { defaultInterfaces } from "../../src/verify/frame.js";
import { labScript } from "../../src/verify/lab-script.js";

it("takes any path for that of the program that sends packets of sockets", () => {
  const nothing = { families: [], hasSets: false };
  const script = labScript({
    interfaces: defaultInterfaces,
    loaded: { iptables: nothing, nft: nothing },
    hasScript: false,
    prepares: false,
    hasHosts: false,
    variant: "legacy",
    hasWire: false,
    ownSender: ["/opt/two words/it's", "own.cjs"],
    nftRoot: undefined,
  });
  expect(script).toContain(`inside iptables '/opt/two words/it'\\''s' 'own.cjs' <`);
});
