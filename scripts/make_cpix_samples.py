#!/usr/bin/env python3
"""Make `cpix_samples`, and prove the label of each document in it.

    make_cpix_samples.py            write what is missing or different
    make_cpix_samples.py --check    write nothing; fail where a file differs from what would be written

Both prove every label: which versions accept a document (by DASH-IF's own schemas too, with --schemas FOLDER, which
holds `CPIX2.4/cpix.xsd` and so on), whether it is valid, exactly which rules it breaks, that it decrypts or verifies.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from lxml import etree
from samples import attacks, certificates, faulty, features, sealed
from samples.model import ALL, Sample

from drmkit import cpix
from drmkit.cpix import structure
from drmkit.cpix.catalog import catalog
from drmkit.errors import DrmkitError, InputError

FOLDER = Path(__file__).resolve().parents[1] / "cpix_samples"
UNSHOWN = {
    "file-unreadable": "no document breaks it: it is about a file that is not there",
    "xml-too-large": "a document of more than 64 MiB has no place here",
    "structure-other": "no verdict of the schema is without an ID of its own so far",
}
"""The rules that no sample breaks, and why."""
_INTRODUCTION = """\
# CPIX samples

Documents of drmkit's own making, each with a label that `scripts/make_cpix_samples.py` proves: which versions of the
schema accept it, whether it is valid, exactly which rules it breaks (`drmkit cpix rules` explains them), and that it
decrypts or verifies. `index.json` has the same for programs. All keys, certificates and private keys were made for
these files and are in use nowhere.

- `best-practice/` has the ten cases that CPIX 2.4 describes and names, in the names and spelling of its text.
- `valid/` has every other feature.
- `invalid/` has a document for each rule; where the rule is a warning or advice, the document is valid.
- `attacks/` has documents made to do harm.
- `certificates/` has the certificates of recipients and signer, with unprotected private keys.

`key-clear`, which every sample with content keys in the clear breaks, is listed only where it is the point.
"""
_INDEX = "index.json"
_README = "README.md"


def samples() -> list[Sample]:
    """Every sample, by path."""
    found = [*features.samples(), *sealed.samples(), *faulty.samples(), *attacks.samples()]
    return sorted(found, key=lambda sample: sample.path)


def problems(sample: Sample, data: bytes, schemas: Path | None) -> list[str]:
    """Say where a document does not have its label."""
    report = cpix.validate(data)
    rules = {finding.rule for finding in report.findings}
    if "key-clear" not in sample.rules:
        rules.discard("key-clear")
    found = []
    for what, wanted, got in (
        ("valid", sample.valid, report.valid),
        ("version", sample.version, report.version),
        ("rules", sorted(sample.rules), sorted(rules)),
        ("accepted by", list(sample.accepts), accepting(data)),
    ):
        if wanted != got:
            found.append(f"{what}: {got}, not {wanted}")
    if schemas is not None and not sample.departs and oracle(data, schemas) != list(sample.accepts):
        found.append(f"DASH-IF's schemas accept it as {oracle(data, schemas)}, not {list(sample.accepts)}")
    if sample.proof is not None:
        try:
            sample.proof(data)
        except (DrmkitError, AssertionError) as error:
            found.append(f"the proof fails: {error}")
    return found


def accepting(data: bytes) -> list[str]:
    """The versions by whose structure a document is right."""
    try:
        document = cpix.parse(data)
    except InputError:
        return []
    return [version for version in ALL if not structure.check_structure(document, version)]


def oracle(data: bytes, folder: Path) -> list[str]:
    """The versions whose schema by DASH-IF accepts a document."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError:
        return []
    if root.getroottree().docinfo.doctype:
        return []
    for name in ("schemaLocation", "noNamespaceSchemaLocation"):
        root.attrib.pop(f"{{http://www.w3.org/2001/XMLSchema-instance}}{name}", None)
    return [version for version in ALL if _schema(folder, version).validate(root)]


_SCHEMAS: dict[str, etree.XMLSchema] = {}


def _schema(folder: Path, version: str) -> etree.XMLSchema:
    if version not in _SCHEMAS:
        _SCHEMAS[version] = etree.XMLSchema(etree.parse(folder / f"CPIX{version}" / "cpix.xsd"))
    return _SCHEMAS[version]


def same(sample: Sample, old: bytes, new: bytes) -> bool:
    """Say whether two makes of a sample are equal but for what is random by nature."""
    return _comparable(sample, old) == _comparable(sample, new)


def _comparable(sample: Sample, data: bytes) -> bytes:
    if not sample.varies:
        return data
    try:
        root = etree.fromstring(data)
    except etree.XMLSyntaxError:
        return data
    for path in sample.varies:
        for element in root.xpath(path):
            element.text = "varies"
    return etree.tostring(root.getroottree())


def index(found: list[Sample]) -> bytes:
    """The labels for programs."""
    entries = [
        {
            "path": sample.path,
            "shows": sample.shows,
            "valid": sample.valid,
            "version": sample.version,
            "rules": list(sample.rules),
            "accepted_by": list(sample.accepts),
        }
        for sample in found
    ]
    data = {"schema_version": 1, "samples": entries, "rules_without_sample": UNSHOWN}
    return (json.dumps(data, indent=2, ensure_ascii=False) + "\n").encode()


def readme(found: list[Sample]) -> bytes:
    """The labels for people."""
    lines = _INTRODUCTION.splitlines()
    for folder in ("best-practice", "valid", "invalid", "attacks"):
        lines += [
            "",
            f"## {folder}",
            "",
            "| document | shows | accepted by | valid | breaks |",
            "|---|---|---|---|---|",
        ]
        for sample in found:
            if sample.path.startswith(f"{folder}/"):
                name = sample.path.removeprefix(f"{folder}/")
                rules = ", ".join(f"`{rule}`" for rule in sample.rules)
                accepts = ", ".join(sample.accepts) or "none"
                valid = "yes" if sample.valid else "no" if sample.version else "unreadable"
                lines.append(f"| [{name}]({sample.path}) | {sample.shows} | {accepts} | {valid} | {rules} |")
    lines += ["", "## Rules without a sample", ""]
    lines += [f"- `{rule}`: {why}" for rule, why in UNSHOWN.items()]
    return ("\n".join(lines) + "\n").encode()


def main() -> int:
    """Make or check the samples; exit code 1 where a label does not hold or, with --check, a file differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing, fail where a file differs")
    parser.add_argument("--schemas", type=Path, help="the folder with DASH-IF's schemas")
    options = parser.parse_args()
    certificates.make_missing()
    found = samples()
    failures = 0
    wanted = {FOLDER / _INDEX: index(found), FOLDER / _README: readme(found)}
    for sample in found:
        path = FOLDER / sample.path
        data = sample.make()
        if path.exists() and same(sample, path.read_bytes(), data):
            data = path.read_bytes()
        wanted[path] = data
        for problem in problems(sample, data, options.schemas):
            failures += 1
            print(f"{sample.path}: {problem}", file=sys.stderr)
    shown = {rule for sample in found for rule in sample.rules} | set(UNSHOWN)
    for entry in catalog():
        if entry.id not in shown:
            failures += 1
            print(f"no sample breaks the rule {entry.id}", file=sys.stderr)
    failures += _write(wanted, check=options.check)
    print(f"{len(found)} samples, {failures} problems")
    return 1 if failures else 0


def _write(wanted: dict[Path, bytes], *, check: bool) -> int:
    failures = 0
    kept = set(wanted) | set(certificates.FOLDER.iterdir())
    stale = [path for path in FOLDER.rglob("*") if path.is_file() and path not in kept]
    changed = [path for path, data in wanted.items() if not path.exists() or path.read_bytes() != data]
    for path in [*stale, *changed]:
        if check:
            failures += 1
            print(f"{path.relative_to(FOLDER)} differs from what the script makes", file=sys.stderr)
        elif path in stale:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(wanted[path])
    return failures


if __name__ == "__main__":
    sys.exit(main())
