# Copyright (c) ipt2nft-recent contributors
# SPDX-License-Identifier: MIT
"""How the modules run ipt2nft-recent. What it decides is passed on; nothing about firewalls is decided here."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import base64
import binascii
import json
import os
import re

from ansible.module_utils.common.text.converters import to_bytes, to_native, to_text

# Where administrators put programs, and a PATH of a connection may not lead.
FOLDERS = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/sbin"]

# Arguments that all modules have.
COMMAND_ARGUMENTS = dict(command=dict(type="list", elements="str", default=["ipt2nft-recent"]))

# The dumps of one machine, and how their files end.
ENDINGS = dict(ipv4="v4", ipv6="v6", ipset="ipset")
DUMPS_ARGUMENT = dict(type="dict", options=dict((kind, dict(type="str")) for kind in ENDINGS))


class Command:
    """The program, as a list of words: none of them is read by a shell."""

    def __init__(self, module):
        self.module = module
        self.words = module.params["command"]
        self.program = module.get_bin_path(self.words[0], opt_dirs=FOLDERS) if self.words else None

    def run(self, *words):
        """Its exit status, standard output as bytes, and standard error. Fails for status 2 and where it is not there."""
        if self.program is None:
            self.module.fail_json(msg="the command %s is not installed here" % " ".join(self.words))
        status, output, error = self.module.run_command([self.program] + self.words[1:] + list(words), encoding=None)
        error = to_native(error, errors="surrogate_or_replace")
        if status not in (0, 1):
            self.module.fail_json(msg=error.strip() or "the command ended with status %s" % status, rc=status)
        return status, output, error

    def document(self, *words):
        """The same with standard output as JSON: exit status, document."""
        status, output, error = self.run(*words)
        return status, self.parse(output, error)

    def parse(self, text, error=""):
        try:
            return json.loads(to_text(text))
        except ValueError:
            self.module.fail_json(msg="the command printed no document: %s" % (error.strip() or to_native(text)[:500]))


def messages_of(document, *severities):
    """The sentences of a document, of these severities or of all."""
    messages = document.get("messages", [])
    return [one["message"] for one in messages if not severities or one["severity"] in severities]


def warn(module, document):
    for message in messages_of(document, "warning"):
        module.warn(message)


def plain_name(module, name):
    """A name that is that of a file: names of hosts are data."""
    if name in (".", "..") or not re.match(r"^[^/\0]{1,200}$", name):
        module.fail_json(msg="%r cannot be the name of a file" % name)
    return name


def decoded(module, text):
    try:
        return base64.b64decode(to_bytes(text), validate=True)
    except (binascii.Error, ValueError) as error:
        return module.fail_json(msg="a dump is not in base64: %s" % to_native(error))


def write_dumps(module, dumps, folder, name, empty=False):
    """Files of the dumps that are there, and on demand of those that are empty: paths by kind."""
    paths = {}
    for kind, ending in sorted(ENDINGS.items()):
        if dumps.get(kind) or empty:
            paths[kind] = os.path.join(folder, "%s.%s" % (name, ending))
            with open(paths[kind], "wb") as file:
                file.write(decoded(module, dumps.get(kind) or ""))
    return paths


def dump_words(paths, ipset_option="--ipset"):
    """Words for the sets, and for the dumps of both families: a command gets them in this order."""
    sets = [ipset_option, paths["ipset"]] if "ipset" in paths else []
    return sets, [paths[kind] for kind in ("ipv4", "ipv6") if kind in paths]


def read(path):
    """Bytes; empty where there is no such file."""
    if not os.path.exists(path):
        return b""
    with open(path, "rb") as file:
        return file.read()


def write(module, path, content):
    """Writes a file whole or not at all."""
    folder = os.path.dirname(os.path.abspath(path))
    if not os.path.isdir(folder):
        os.makedirs(folder)
    next_path = os.path.join(module.tmpdir, "next")
    with open(next_path, "wb") as file:
        file.write(content)
    module.atomic_move(next_path, path)


def difference(path, before, after):
    return dict(
        before=to_text(before, errors="replace"),
        after=to_text(after, errors="replace"),
        before_header=path,
        after_header=path,
    )
