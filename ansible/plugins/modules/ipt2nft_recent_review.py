#!/usr/bin/python
# Copyright (c) ipt2nft-recent contributors
# SPDX-License-Identifier: MIT

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
---
module: ipt2nft_recent_review
short_description: Compares the rules of a machine with those that were recorded
description:
  - Runs C(ipt2nft-recent review) where the module runs, usually on the controller, on the recorded dumps and the present ones.
  - Fails, with the review in words, for what the review fails on (such as rules that open something), and where nothing is recorded.
    Fails also where rules are recorded and there are none, which is never accepted.
  - Recorded dumps are the files C(NAME.v4), C(NAME.v6) and C(NAME.ipset) of a folder.
    C(ipt2nft-recent fleet) and C(ipt2nft-recent corpus) read them as they lie.
author:
  - ipt2nft-recent contributors (!UNKNOWN)
version_added: 0.1.0
extends_documentation_fragment:
  - ipt2nft_recent.firewall.command
options:
  dumps:
    description: The present dumps in base64, as M(ipt2nft_recent.firewall.ipt2nft_recent_gather) returns them.
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
    description: Name of the machine, and of its files.
    type: str
    required: true
  directory:
    description: The folder of the recorded dumps.
    type: path
    required: true
  accept:
    description:
      - Accept whatever the review says, and record the present dumps.
      - Files stay as they are where the review finds no change of what the rules mean.
    type: bool
    default: false
  fail_on:
    description: What the review fails on, such as C(opens,closes,unjudged,warning). As the command has it unless given.
    type: str
  options:
    description: Options of the translation, such as C(--optimize).
    type: list
    elements: str
    default: []
attributes:
  check_mode:
    description: The review is made, and nothing is recorded.
    support: full
  diff_mode:
    description: Shows how the recorded dumps change.
    support: full
"""

EXAMPLES = r"""
- name: Stop where the rules are not those of the repository
  ipt2nft_recent.firewall.ipt2nft_recent_review:
    dumps: "{{ gathered.dumps }}"
    name: "{{ inventory_hostname }}"
    directory: "{{ playbook_dir }}/firewalls/dumps"
  delegate_to: localhost
"""

RETURN = r"""
headline:
  description: The verdict in one sentence.
  returned: always
  type: str
text:
  description: The review in words.
  returned: always
  type: str
recorded:
  description: Whether dumps of the machine were recorded before.
  returned: always
  type: bool
tool:
  description: Name and version of the program that made the review.
  returned: where there are rules
  type: dict
"""

import os

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.text.converters import to_text

from ansible_collections.ipt2nft_recent.firewall.plugins.module_utils.command import (
    COMMAND_ARGUMENTS,
    DUMPS_ARGUMENT,
    ENDINGS,
    Command,
    difference,
    dump_words,
    plain_name,
    read,
    write,
    write_dumps,
)

# What the document of a review has where something changed what the rules do.
EFFECTS = ("changes", "opens", "closes", "alters", "unjudged")


def review(module, old, new):
    """Exit status, document, text."""
    text_path = os.path.join(module.tmpdir, "review.txt")
    words = ["review", "--json", "--write", "text=%s" % text_path] + module.params["options"]
    if module.params["fail_on"] is not None:
        words += ["--fail-on", module.params["fail_on"]]
    old_sets, old_dumps = dump_words(old, "--old-ipset")
    new_sets, new_dumps = dump_words(new)
    for path in old_dumps:
        words += ["--old", path]
    status, document = Command(module).document(*(words + old_sets + new_sets + new_dumps))
    return status, document, to_text(read(text_path), errors="replace")


def main():
    module = AnsibleModule(
        argument_spec=dict(
            COMMAND_ARGUMENTS,
            dumps=dict(DUMPS_ARGUMENT, required=True),
            name=dict(type="str", required=True),
            directory=dict(type="path", required=True),
            accept=dict(type="bool", default=False),
            fail_on=dict(type="str"),
            options=dict(type="list", elements="str", default=[]),
        ),
        supports_check_mode=True,
    )
    name = plain_name(module, module.params["name"])
    folder = module.params["directory"]
    places = dict((kind, os.path.join(folder, "%s.%s" % (name, ending))) for kind, ending in ENDINGS.items())
    old = dict((kind, path) for kind, path in places.items() if os.path.exists(path))
    recorded = "ipv4" in old or "ipv6" in old
    new = write_dumps(module, module.params["dumps"], module.tmpdir, name)
    if "ipv4" not in new and "ipv6" not in new:
        if recorded:
            module.fail_json(msg="%s has no rules of iptables any more, and some are recorded in %s" % (name, folder))
        module.exit_json(changed=False, headline="There are no rules of iptables.", text="", recorded=False)
    status, document, text = review(module, old if recorded else {}, new)
    result = dict(headline=document["headline"], text=text, recorded=recorded, tool=document["tool"])
    if not module.params["accept"]:
        if not recorded:
            module.fail_json(msg="no rules of %s are recorded in %s; what the review says:\n%s" % (name, folder, text), **result)
        if status != 0:
            module.fail_json(msg="the rules are not those that are recorded:\n%s" % text, **result)
        module.exit_json(changed=False, **result)
    is_other = not recorded or any(document[effect] for effect in EFFECTS)
    diffs = []
    for kind, place in sorted(places.items()):
        before, after = read(place), read(new[kind]) if kind in new else b""
        if is_other and before != after:
            diffs.append(difference(place, before, after))
            if module.check_mode:
                continue
            if after:
                write(module, place, after)
            else:
                os.remove(place)
    module.exit_json(changed=bool(diffs), diff=diffs, **result)


if __name__ == "__main__":
    main()
