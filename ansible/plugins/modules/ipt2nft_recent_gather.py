#!/usr/bin/python
# Copyright (c) ipt2nft-recent contributors
# SPDX-License-Identifier: MIT

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
---
module: ipt2nft_recent_gather
short_description: Reads the iptables rules of a host
description:
  - Returns what C(iptables-save), C(ip6tables-save) and C(ipset save) print, byte for byte.
  - Needs root, and none of ipt2nft-recent. It changes nothing.
author:
  - ipt2nft-recent contributors (!UNKNOWN)
version_added: 0.1.0
options:
  ipv4:
    description: The program for IPv4 with its options, such as C(iptables-legacy-save). Empty for none.
    type: list
    elements: str
    default: [iptables-save, -c]
  ipv6:
    description: The program for IPv6 with its options. Empty for none.
    type: list
    elements: str
    default: [ip6tables-save, -c]
  ipset:
    description:
      - The program for sets of ipset. Empty for none.
      - A host without it, or whose kernel has no sets, has none.
    type: list
    elements: str
    default: [ipset, save]
attributes:
  check_mode:
    description: Nothing is changed in any mode.
    support: full
  diff_mode:
    description: Nothing is changed.
    support: none
"""

EXAMPLES = r"""
- name: Read the rules
  ipt2nft_recent.firewall.ipt2nft_recent_gather:
  register: gathered

- name: Read rules that the legacy programs hold
  ipt2nft_recent.firewall.ipt2nft_recent_gather:
    ipv4: [iptables-legacy-save, -c]
    ipv6: [ip6tables-legacy-save, -c]
"""

RETURN = r"""
dumps:
  description: What each program printed, in base64; empty where there is nothing.
  returned: always
  type: dict
  contains:
    ipv4:
      description: Rules of IPv4.
      type: str
      returned: always
    ipv6:
      description: Rules of IPv6.
      type: str
      returned: always
    ipset:
      description: Sets.
      type: str
      returned: always
"""

import base64

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.text.converters import to_native

from ansible_collections.ipt2nft_recent.firewall.plugins.module_utils.command import FOLDERS


def printed(module, words, optional=False):
    if not words:
        return ""
    program = module.get_bin_path(words[0], opt_dirs=FOLDERS)
    if program is None:
        if optional:
            return ""
        module.fail_json(msg="the program %s is not installed" % words[0])
    status, output, error = module.run_command([program] + words[1:], encoding=None)
    if status != 0 and not optional:
        module.fail_json(msg="%s: %s" % (words[0], to_native(error, errors="surrogate_or_replace").strip()), rc=status)
    return to_native(base64.b64encode(output)) if status == 0 else ""


def main():
    module = AnsibleModule(
        argument_spec=dict(
            ipv4=dict(type="list", elements="str", default=["iptables-save", "-c"]),
            ipv6=dict(type="list", elements="str", default=["ip6tables-save", "-c"]),
            ipset=dict(type="list", elements="str", default=["ipset", "save"]),
        ),
        supports_check_mode=True,
    )
    dumps = dict((kind, printed(module, module.params[kind], kind == "ipset")) for kind in ("ipv4", "ipv6", "ipset"))
    module.exit_json(changed=False, dumps=dumps)


if __name__ == "__main__":
    main()
