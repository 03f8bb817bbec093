/** The cases of corpus/generated: which generator writes which files of which case. */

import { docker } from "./docker.js";
import { kubeProxy } from "./kube-proxy.js";
import { shorewall } from "./shorewall.js";
import { ufw } from "./ufw.js";

export interface GeneratedFile {
  /** From the repository on. */
  readonly path: string;
  readonly text: string;
}

/** Every file, as it is to stand in the repository. */
export function generatedFiles(): GeneratedFile[] {
  const cases = {
    "docker-published-ports": { "rules.v4": docker() },
    "kube-proxy-200-services": { "rules.v4": kubeProxy() },
    "shorewall-six-zones": { "rules.v4": shorewall() },
    "ufw-150-rules": ufw(),
  };
  return Object.entries(cases).flatMap(([name, files]) =>
    Object.entries(files).map(([file, text]) => ({ path: `corpus/generated/${name}/${file}`, text })),
  );
}
