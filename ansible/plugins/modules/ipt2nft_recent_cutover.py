#!/usr/bin/python
# Copyright (c) ipt2nft-recent contributors
# SPDX-License-Identifier: MIT

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
---
module: ipt2nft_recent_cutover
short_description: Changes a host from iptables to nftables, and back unless that is confirmed
description:
  - Runs C(ipt2nft-recent cutover) on the host and passes its document on. Needs root.
  - The way back is armed before anything is touched. Unless C(confirmed) comes in time, the host restores its old firewall by itself,
    whether or not anybody can reach it.
author:
  - ipt2nft-recent contributors (!UNKNOWN)
version_added: 0.1.0
extends_documentation_fragment:
  - ipt2nft_recent.firewall.command
options:
  state:
    description:
      - C(queried) asks what is decided, and which firewall the kernel has.
        Where the command is not installed, C(installed) is C(false), and nothing is decided.
      - C(planned) says what C(started) would do. C(started) in check mode does the same.
      - C(started) changes the firewall, and waits for a confirmation.
      - C(confirmed) keeps the new firewall. The connection must be one that was opened after the change; C(meta) C(reset_connection)
        opens one.
      - C(undone) goes back to the old firewall, confirmed or not.
    type: str
    required: true
    choices: [queried, planned, started, confirmed, undone]
  confirm_within:
    description: Time in which C(confirmed) must come, such as C(2m). As the command has it unless given.
    type: str
  accept_loss:
    description: Number of rules that may be lost.
    type: int
    default: 0
  reviewed:
    description:
      - The dumps that were reviewed, in base64, as M(ipt2nft_recent.firewall.ipt2nft_recent_gather) returns them.
      - Where the host has other rules by now, but for their counters, nothing is changed.
    type: dict
    suboptions:
      ipv4:
        description: Rules of IPv4.
        type: str
      ipv6:
        description: Rules of IPv6.
        type: str
      ipset:
        description: Not compared.
        type: str
  leave_to_owners:
    description: Leave chains to iptables in which programs that run keep up rules, such as Docker.
    type: bool
    default: true
  persist:
    description: With C(confirmed), where the script is written that the machine loads when it starts.
    type: path
  probe:
    description: With C(confirmed), a command of the host's shell that must succeed, in place of a new connection.
    type: str
  options:
    description: Options of the translation, such as C(--optimize), with C(planned) and C(started).
    type: list
    elements: str
    default: []
  state_dir:
    description: Where the change is remembered. As the command has it unless given.
    type: path
attributes:
  check_mode:
    description: Says what would change; C(started) plans.
    support: full
  diff_mode:
    description: Shows what is decided before and afterwards, and the plan in check mode.
    support: full
"""

EXAMPLES = r"""
- name: Change the firewall
  ipt2nft_recent.firewall.ipt2nft_recent_cutover:
    state: started
    confirm_within: 2m

- name: Open a new connection
  ansible.builtin.meta: reset_connection

- name: Keep the new firewall
  ipt2nft_recent.firewall.ipt2nft_recent_cutover:
    state: confirmed
    persist: /etc/nftables.conf
"""

RETURN = r"""
document:
  description: What the command printed; docs/cutover.md of ipt2nft-recent says what its members mean.
  returned: when the command could run
  type: dict
  sample: {"version": 1, "action": "start", "changed": true, "state": "waiting", "messages": []}
installed:
  description: Whether the command is there.
  returned: success
  type: bool
"""

import json

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.ipt2nft_recent.firewall.plugins.module_utils.command import (
    COMMAND_ARGUMENTS,
    DUMPS_ARGUMENT,
    Command,
    dump_words,
    messages_of,
    warn,
    write_dumps,
)

ACTIONS = dict(queried="status", planned="plan", started="start", confirmed="confirm", undone="undo")


def words_for(module, action):
    params = module.params
    words = ["cutover", action, "--json"]
    if params["state_dir"] is not None:
        words += ["--state-dir", params["state_dir"]]
    if action in ("plan", "start"):
        if params["confirm_within"] is not None:
            words += ["--confirm-within", params["confirm_within"]]
        words += ["--accept-loss", str(params["accept_loss"])]
        if not params["leave_to_owners"]:
            words.append("--no-leave-to-owners")
        if params["reviewed"] is not None:
            # An empty dump says that there were no rules.
            for path in dump_words(write_dumps(module, params["reviewed"], module.tmpdir, "reviewed", empty=True))[1]:
                words += ["--reviewed", path]
        words += params["options"]
    if action == "confirm":
        if params["persist"] is not None:
            words += ["--persist", params["persist"]]
        if params["probe"] is not None:
            words += ["--probe", params["probe"]]
    return words


def would_change(state, document):
    """Of what the command says where it changes nothing: whether it would."""
    if state == "started":
        return "plan" in document
    if state == "confirmed":
        return document["state"] == "waiting"
    return state == "undone" and document["state"] in ("changing", "waiting", "confirmed", "undoing")


def main():
    module = AnsibleModule(
        argument_spec=dict(
            COMMAND_ARGUMENTS,
            state=dict(type="str", required=True, choices=sorted(ACTIONS)),
            confirm_within=dict(type="str"),
            accept_loss=dict(type="int", default=0),
            reviewed=DUMPS_ARGUMENT,
            leave_to_owners=dict(type="bool", default=True),
            persist=dict(type="path"),
            probe=dict(type="str"),
            options=dict(type="list", elements="str", default=[]),
            state_dir=dict(type="path"),
        ),
        supports_check_mode=True,
    )
    state = module.params["state"]
    command = Command(module)
    if state == "queried" and command.program is None:
        module.exit_json(changed=False, installed=False, document=dict(state="none", changed=False, messages=[]))
    action = ACTIONS[state]
    if module.check_mode:
        action = "plan" if action == "start" else "status" if action in ("confirm", "undo") else action
    status, document = command.document(*words_for(module, action))
    warn(module, document)
    if status != 0:
        module.fail_json(msg="; ".join(messages_of(document, "error")) or "the command ended with status 1", document=document)
    changed = document["changed"] or (module.check_mode and would_change(state, document))
    result = dict(changed=changed, installed=True, document=document)
    if changed:
        after = dict(state=document["state"] if document["changed"] else state)
        if "plan" in document:
            after.update(plan=document["plan"], rules=document.get("rules"))
        result["diff"] = dict(before="", after=json.dumps(after, indent=2, sort_keys=True) + "\n")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
