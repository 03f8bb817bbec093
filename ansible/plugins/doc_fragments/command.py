# Copyright (c) ipt2nft-recent contributors
# SPDX-License-Identifier: MIT
"""What the pages of several modules say alike."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  command:
    description: The command with its first words. No shell reads them.
    type: list
    elements: str
    default: [ipt2nft-recent]
"""
