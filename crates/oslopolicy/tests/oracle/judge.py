"""Reads questions and writes oslo.policy's verdicts: true, false, or null where judging fails."""

import json
import logging
import sys

from oslo_config import cfg
from oslo_policy import policy

logging.disable(logging.CRITICAL)
ENFORCER = policy.Enforcer(cfg.ConfigOpts(), use_conf=False, default_rule="default")


def verdict(question):
    ENFORCER.set_rules(policy.Rules.from_dict(question["rules"], "default"), use_conf=False)
    return bool(ENFORCER.enforce(question["rule"], question["target"], question["creds"]))


for line in sys.stdin:
    try:
        print(json.dumps(verdict(json.loads(line))))
    except Exception:
        print("null")
