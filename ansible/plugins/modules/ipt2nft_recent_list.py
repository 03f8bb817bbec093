#!/usr/bin/python
# Copyright (c) ipt2nft-recent contributors
# SPDX-License-Identifier: MIT

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
---
module: ipt2nft_recent_list
short_description: Bans hosts and lets them go, on lists of the nft firewall that runs
description:
  - Runs C(ipt2nft-recent lists) on the host and passes its document on. Needs root.
  - The lists are those that C(-m recent) had, in the table that was made from the rules.
author:
  - ipt2nft-recent contributors (!UNKNOWN)
version_added: 0.1.0
extends_documentation_fragment:
  - ipt2nft_recent.firewall.command
options:
  list:
    description: Name of the list in the rules.
    type: str
    required: true
  addresses:
    description: The hosts. Networks are refused.
    type: list
    elements: str
    default: []
  state:
    description:
      - C(banned) puts the hosts over every limit of the list, or on a list that is asked for no more.
        A host that is there already is left as it is, so that its ban does not last longer.
      - C(absent) takes them off the list.
      - C(emptied) takes all hosts off the list.
      - C(queried) shows who is on the list.
    type: str
    default: queried
    choices: [banned, absent, emptied, queried]
  table:
    description: The nft table that holds the lists. As the command has it unless given.
    type: str
attributes:
  check_mode:
    description: Says what would change.
    support: full
  diff_mode:
    description: Nothing is shown beside what is returned.
    support: none
"""

EXAMPLES = r"""
- name: Ban a host
  ipt2nft_recent.firewall.ipt2nft_recent_list:
    list: ssh
    state: banned
    addresses: [192.0.2.7]

- name: Let it go
  ipt2nft_recent.firewall.ipt2nft_recent_list:
    list: ssh
    state: absent
    addresses: [192.0.2.7]

- name: Show who is on the list
  ipt2nft_recent.firewall.ipt2nft_recent_list:
    list: ssh
  register: listed
"""

RETURN = r"""
hosts:
  description:
    - The hosts that were asked about as they are now, or all hosts of the list; times are milliseconds.
    - C(over) says that a host is over a limit, C(freeIn) for how long.
  returned: success
  type: list
  elements: dict
  sample: [{"address": "192.0.2.7", "family": "ipv4", "hits": 4, "over": true, "freeIn": 59600}]
messages:
  description: Sentences of the command.
  returned: success
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.ipt2nft_recent.firewall.plugins.module_utils.command import COMMAND_ARGUMENTS, Command, messages_of, warn

ACTIONS = dict(banned=["add", "--over", "--unless-over"], absent=["remove"], emptied=["clear"], queried=["show"])


def main():
    module = AnsibleModule(
        argument_spec=dict(
            COMMAND_ARGUMENTS,
            list=dict(type="str", required=True),
            addresses=dict(type="list", elements="str", default=[]),
            state=dict(type="str", default="queried", choices=sorted(ACTIONS)),
            table=dict(type="str"),
        ),
        required_if=[("state", "banned", ["addresses"]), ("state", "absent", ["addresses"])],
        supports_check_mode=True,
    )
    state, addresses = module.params["state"], module.params["addresses"]
    if state in ("banned", "absent") and not addresses:
        module.exit_json(changed=False, hosts=[], messages=[])
    words = ["lists"] + ACTIONS[state] + ["--json"]
    if module.params["table"] is not None:
        words += ["--table", module.params["table"]]
    if module.check_mode and state != "queried":
        words.append("--dry-run")
    words += ["--", module.params["list"]] + (addresses if state in ("banned", "absent") else [])
    status, document = Command(module).document(*words)
    messages = messages_of(document)
    if status != 0:
        module.fail_json(msg="; ".join(messages) or "the command ended with status 1", document=document)
    warn(module, document)
    module.exit_json(changed=document.get("changed", False), hosts=document["hosts"], messages=messages)


if __name__ == "__main__":
    main()
