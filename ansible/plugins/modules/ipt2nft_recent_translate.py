#!/usr/bin/python
# Copyright (c) ipt2nft-recent contributors
# SPDX-License-Identifier: MIT

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
---
module: ipt2nft_recent_translate
short_description: Translates iptables dumps into one nft script
description:
  - Runs C(ipt2nft-recent) where the module runs, usually on the controller, and writes the script where it differs.
  - Fails where a rule cannot be carried over, unless C(accept_loss) says otherwise, and says what the loss opens or closes.
author:
  - ipt2nft-recent contributors (!UNKNOWN)
version_added: 0.1.0
extends_documentation_fragment:
  - ipt2nft_recent.firewall.command
options:
  dumps:
    description: The dumps of one machine in base64, as M(ipt2nft_recent.firewall.ipt2nft_recent_gather) returns them.
    type: dict
    required: true
    suboptions:
      ipv4:
        description: Rules of IPv4.
        type: str
      ipv6:
        description: Rules of IPv6.
        type: str
      ipset:
        description: Sets of ipset.
        type: str
  name:
    description: How the machine is called in warnings.
    type: str
    default: machine
  dest:
    description: Where the script is written. It is written whole or not at all.
    type: path
    required: true
  options:
    description: Options of the translation, such as C(--optimize).
    type: list
    elements: str
    default: []
  accept_loss:
    description: Number of rules that may be lost.
    type: int
    default: 0
attributes:
  check_mode:
    description: The script is made and compared, and not written.
    support: full
  diff_mode:
    description: Shows how the script changes.
    support: full
"""

EXAMPLES = r"""
- name: Translate on the controller
  ipt2nft_recent.firewall.ipt2nft_recent_translate:
    dumps: "{{ gathered.dumps }}"
    name: "{{ inventory_hostname }}"
    dest: "{{ playbook_dir }}/firewalls/scripts/{{ inventory_hostname }}.nft"
    options: [--no-counters]
  delegate_to: localhost
"""

RETURN = r"""
dest:
  description: Where the script stands.
  returned: always
  type: str
rules:
  description: Numbers of rules that were carried over exactly (C(exact)), approximately (C(approximated)), and not (C(refused)).
  returned: success
  type: dict
diagnostics:
  description: What the program says about single rules.
  returned: success
  type: list
  elements: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.ipt2nft_recent.firewall.plugins.module_utils.command import (
    COMMAND_ARGUMENTS,
    DUMPS_ARGUMENT,
    Command,
    difference,
    dump_words,
    plain_name,
    read,
    warn,
    write,
    write_dumps,
)


def sentence(diagnostic):
    return "%s:%s: %s" % (diagnostic["file"].rsplit("/", 1)[-1], diagnostic["line"], diagnostic["message"])


def main():
    module = AnsibleModule(
        argument_spec=dict(
            COMMAND_ARGUMENTS,
            dumps=dict(DUMPS_ARGUMENT, required=True),
            name=dict(type="str", default="machine"),
            dest=dict(type="path", required=True),
            options=dict(type="list", elements="str", default=[]),
            accept_loss=dict(type="int", default=0),
        ),
        supports_check_mode=True,
    )
    dest = module.params["dest"]
    paths = write_dumps(module, module.params["dumps"], module.tmpdir, plain_name(module, module.params["name"]))
    sets, dumps = dump_words(paths)
    if not dumps:
        module.fail_json(msg="there is no dump to translate", dest=dest)
    command = Command(module)
    script, error = command.run(*(["--json"] + module.params["options"] + sets + dumps))[1:]
    report = command.parse(error)
    diagnostics = report["diagnostics"]
    warn(module, report)
    if report["rules"]["refused"] > module.params["accept_loss"]:
        lost = [sentence(one) for one in diagnostics if one["effect"] == "refused"]
        module.fail_json(msg="rules would be lost:\n%s" % "\n".join(lost), dest=dest, rules=report["rules"], diagnostics=diagnostics)
    before = read(dest)
    changed = before != script
    if changed and not module.check_mode:
        write(module, dest, script)
    module.exit_json(
        changed=changed,
        dest=dest,
        rules=report["rules"],
        diagnostics=diagnostics,
        diff=difference(dest, before, script),
    )


if __name__ == "__main__":
    main()
