#!/usr/bin/env python3
"""Writes recorded.json: configurations by chance, and what oslo.config makes of them.

Run it where oslo.config is installed (`pip install oslo.config`); tests/recorded.rs reads what it wrote.
"""

import json
import os
import pathlib
import random
import tempfile

from oslo_config import cfg, types

OPTIONS = [
    ("DEFAULT", cfg.StrOpt("text")),
    ("DEFAULT", cfg.StrOpt("named", default="by default")),
    ("DEFAULT", cfg.BoolOpt("flag", default=True)),
    ("DEFAULT", cfg.IntOpt("number", default=7, min=-5, max=100)),
    ("DEFAULT", cfg.FloatOpt("fraction", default=0.5, min=0)),
    ("DEFAULT", cfg.PortOpt("port", default=80)),
    ("DEFAULT", cfg.ListOpt("items", default=["x"])),
    ("DEFAULT", cfg.ListOpt("bounded", item_type=types.String(quotes=True), bounds=True, default=["x"])),
    ("DEFAULT", cfg.DictOpt("pairs", default={"x": "y"})),
    ("DEFAULT", cfg.MultiStrOpt("several", default=["x"])),
    ("DEFAULT", cfg.StrOpt("choice", choices=["one", "two"], default="one")),
    ("DEFAULT", cfg.StrOpt("any_case", choices=["One", "Two"], ignore_case=True, default="One")),
    ("group", cfg.StrOpt("text")),
    ("group", cfg.StrOpt("renamed", deprecated_name="former", deprecated_group="DEFAULT")),
    ("group", cfg.MultiStrOpt("several")),
]
WORDS = ["a", "b c", "1", "-3", "+4", "101", "0.25", "1e2", "yes", "OFF", "True", "one", "TWO", "x:y", "k:v,l:w", "a,b",
         " , ", ",", "a,,b", "a,b,", "[a,b]", "[]", "[a, 'b,c']", "[\"a\",b ]", "[a", "'q'", "\"q\"", "'", "\"\"", "'a' 'b'",
         "\"a'", "# c", "; c", "=", ":", "é", "65535", "65536", "", "  ", "k:v:w", "k:", ":v", "k:v,k:w", "k:v,w", "%%", "%",
         "$text", "${text}", "${group.text}", "$group.text", "$$x", "\\$x", "5$", "$1", "pre$text.post", "${named}/x",
         "[x", "nul", "0x10", "007", "1.", "none", "None"]
KEYS = ["text", "named", "flag", "number", "fraction", "port", "items", "bounded", "pairs", "several", "choice", "any_case",
        "renamed", "former", "stranger", "Text", "any-case"]
HEADERS = ["[DEFAULT]", "[group]", "[GROUP]", "[Group]", "[default]", "[other]", "[ group ]", "[group] "]
BROKEN = ["[group", "[]", "no assignment", "= value", "[a]b", "[group] # c", "  stray"]


def value(dice):
    return dice.choice(WORDS) if dice.random() < 0.7 else dice.choice(["", " "]).join(dice.choices(WORDS, k=2))


def text(dice, broken):
    lines = [] if dice.random() < 0.05 else ["[DEFAULT]"]
    for _ in range(dice.randint(1, 9)):
        kind = dice.random()
        if kind < 0.14:
            lines.append(dice.choice(HEADERS))
        elif kind < 0.2:
            lines.append(dice.choice(["", "# comment", "; comment", "#text = no", "   ", "\t"]))
        elif kind < 0.3 and lines and "=" in lines[-1]:
            lines.append(dice.choice(["  ", "\t"]) + value(dice))
        elif kind < 0.32 and broken:
            lines.append(dice.choice(BROKEN))
        else:
            lines.append(dice.choice(KEYS) + dice.choice(["=", " = ", ": ", " =  ", "\t=\t"]) + value(dice))
    return dice.choice(["\n", "\n", "\n", "\r\n"]).join(lines) + dice.choice(["\n", "\n", ""])


def case(dice):
    files = [text(dice, broken=False) for _ in range(dice.choice([1, 1, 1, 2, 3]))]
    if dice.random() < 0.2:
        files = [text(dice, broken=True)]
    exported = {}
    while dice.random() < 0.15:
        key = dice.choice(KEYS[:13])
        # What may be given several times is taken apart by its letters there, which nobody can mean.
        if key != "several":
            exported[dice.choice(["OS_DEFAULT__", "OS_GROUP__"]) + key.upper()] = value(dice)
    return {"files": files, "environment": exported}


def judged(case):
    for name in [name for name in os.environ if name.startswith("OS_")]:
        del os.environ[name]
    os.environ.update(case["environment"])
    conf = cfg.ConfigOpts()
    for group, option in OPTIONS:
        conf.register_opt(option, group=None if group == "DEFAULT" else group)
    with tempfile.TemporaryDirectory() as place:
        arguments = []
        for index, content in enumerate(case["files"]):
            path = pathlib.Path(place) / f"{index}.conf"
            path.write_bytes(content.encode())
            arguments += ["--config-file", str(path)]
        try:
            conf(arguments, project="x", prog="x", default_config_files=[], default_config_dirs=[])
        except cfg.ConfigFileParseError:
            return {"unreadable": True}
        values = {}
        for group, option in OPTIONS:
            try:
                found = conf[option.name] if group == "DEFAULT" else conf[group][option.name]
                values[f"{group}.{option.name}"] = {"is": found}
            except (cfg.TemplateSubstitutionError, cfg.NoSuchOptError, cfg.NoSuchGroupError, RecursionError):
                values[f"{group}.{option.name}"] = {"fault": "reference"}
            except (ValueError, cfg.ConfigFileValueError):
                values[f"{group}.{option.name}"] = {"fault": "value"}
        return {"values": values}


def main():
    dice = random.Random(33)
    by_default = judged({"files": [""], "environment": {}})["values"]
    cases = []
    for _ in range(400):
        made = case(dice)
        verdict = judged(made)
        if "values" in verdict:
            verdict["values"] = {name: what for name, what in verdict["values"].items() if what != by_default[name]}
        cases.append(made | verdict)
    lines = ",\n".join(json.dumps(made, ensure_ascii=False) for made in cases)
    text = f'{{"by_default": {json.dumps(by_default)}, "cases": [\n{lines}\n]}}\n'
    pathlib.Path(__file__).with_name("recorded.json").write_text(text)


main()
