"""`drmkit cpix validate` and `rules`: exit codes, the four formats, carets, and no content key in any output."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from lxml import etree

from drmkit import cpix
from drmkit.cli.cpix import cpix as group
from drmkit.cli.cpix_rules import KINDS
from drmkit.cli.cpix_validate import VERSIONS
from drmkit.cli.output import App
from drmkit.cpix.catalog import catalog

SAMPLES = Path(__file__).resolve().parents[2] / "cpix_samples"
VALID = str(SAMPLES / "valid" / "encrypted-2.4.xml")
INVALID = str(SAMPLES / "invalid" / "kid-duplicate.xml")
ADVICE = str(SAMPLES / "invalid" / "key-constant.xml")
REFUSED = str(SAMPLES / "attacks" / "xxe-file.xml")
KID = "b4c3188b-eddd-453d-9bc2-1cbca7566239"
FIELDS = ["rule", "kind", "severity", "line", "path", "message", "hint", "source"]


def run(*arguments: str, data: bytes | None = None, quiet: bool = False) -> Result:
    """Run `drmkit cpix` with arguments, and bytes on standard input."""
    return CliRunner().invoke(
        group, list(arguments), obj=App(environ={}, quiet=quiet), input=data, catch_exceptions=False
    )


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ([VALID], 0),
        ([ADVICE], 0),
        ([VALID, INVALID], 1),
        ([INVALID, REFUSED, VALID], 2),
        ([VALID, "missing.xml"], 2),
        ([str(SAMPLES / "README.md")], 2),
        ([str(SAMPLES)], 2),
    ],
)
@pytest.mark.parametrize("form", ["text", "json", "sarif", "junit"])
def test_the_exit_code_tells_valid_from_invalid_from_unreadable(files: list[str], code: int, form: str) -> None:
    """0: all valid (advice included), 1: some invalid, 2: some unreadable; in each format all files are told of."""
    done = run("validate", "--format", form, *files)
    assert done.exit_code == code
    for file in files:
        assert Path(file).name in done.stdout


def test_json_has_exactly_the_promised_keys() -> None:
    """`schema_version`, and `documents` in order, each with path, version, valid and findings of eight fields."""
    data = json.loads(run("validate", "--format", "json", VALID, INVALID, "missing.xml").stdout)
    assert list(data) == ["schema_version", "documents"]
    assert data["schema_version"] == 1
    assert [document["path"] for document in data["documents"]] == [VALID, INVALID, "missing.xml"]
    assert [document["cpix_version"] for document in data["documents"]] == ["2.4", "2.4", None]
    assert [document["valid"] for document in data["documents"]] == [True, False, False]
    for document in data["documents"]:
        assert list(document) == ["path", "cpix_version", "valid", "findings"]
        for finding in document["findings"]:
            assert list(finding) == FIELDS
    assert {f["rule"] for f in data["documents"][1]["findings"] if f["severity"] == "error"} == {"kid-duplicate"}
    assert data["documents"][2]["findings"][0]["rule"] == "file-unreadable"


def test_json_says_what_the_library_says() -> None:
    """The command line adds the path and nothing else to the report."""
    document = json.loads(run("validate", "--format", "json", INVALID).stdout)["documents"][0]
    assert document == {"path": INVALID, **cpix.validate(Path(INVALID).read_bytes()).to_dict()}


def test_standard_input_is_a_file() -> None:
    """`-` reads standard input, and is called so."""
    data = Path(INVALID).read_bytes()
    assert json.loads(run("validate", "-", "--format", "json", data=data).stdout)["documents"][0]["path"] == "-"
    text = run("validate", "-", data=data)
    assert "<stdin>:" in text.stdout
    assert text.exit_code == 1


def test_the_version_can_be_asked_for() -> None:
    """--cpix-version checks against that version; auto takes the document's own."""
    file = str(SAMPLES / "valid" / "tracks-cenc-2.3.xml")
    assert run("validate", file).exit_code == 0
    done = run("validate", file, "--cpix-version", "2.4")
    assert done.exit_code == 1
    assert "structure-playlist-name" in done.stdout
    assert ("auto", *cpix.VERSIONS) == VERSIONS


def test_an_unknown_version_is_a_usage_error() -> None:
    """A version that was never published is refused, with those that were."""
    done = run("validate", VALID, "--cpix-version", "2.5")
    assert done.exit_code == 2
    assert "2.3.1" in done.stderr


def test_the_text_points_at_an_attribute() -> None:
    """The line, and carets below exactly the attribute that is wrong."""
    lines = run("validate", INVALID).stdout.splitlines()
    start = next(number for number, line in enumerate(lines) if "error[kid-duplicate]" in line)
    place = re.fullmatch(r" *--> .*kid-duplicate\.xml:(\d+):(\d+)", lines[start + 1])
    assert place
    source = Path(INVALID).read_text(encoding="utf-8").splitlines()[int(place[1]) - 1]
    assert source[int(place[2]) - 1 :].startswith('kid="')
    shown, marker = lines[start + 3], lines[start + 4]
    assert shown[marker.index("^") : marker.rindex("^") + 1] == re.search(r'kid="[^"]*"', source)[0]  # type: ignore[index]
    assert any(line.strip().startswith("= hint: ") for line in lines[start:])


def test_the_text_points_at_an_element_of_a_long_line() -> None:
    """Of a document on one line only the surroundings of the place are shown, and the carets fit."""
    data = re.sub(rb">\s+<", b"><", (SAMPLES / "invalid" / "pssh-system.xml").read_bytes())
    lines = run("validate", "-", data=data).stdout.splitlines()
    start = next(number for number, line in enumerate(lines) if "pssh-system" in line)
    shown, marker = lines[start + 3], lines[start + 4]
    assert len(shown) < 160
    assert shown[marker.index("^") : marker.rindex("^") + 1] == "<cpix:PSSH"


def test_the_text_points_into_what_is_not_xml() -> None:
    """A document that is not well-formed is shown at the parser's place; a DOCTYPE where it stands."""
    lines = run("validate", "-", data=b'<a>\n  <b c="1" c="2"/>\n</a>').stdout.splitlines()
    assert re.search(r"<stdin>:2:1\d$", lines[1])
    assert "^" in lines[4]
    assert "xxe-file.xml:2:1" in run("validate", REFUSED).stdout


@pytest.mark.parametrize("path", sorted(SAMPLES.rglob("*.xml")), ids=lambda path: f"{path.parent.name}/{path.stem}")
@pytest.mark.parametrize("form", ["text", "json", "sarif", "junit"])
def test_no_content_key_is_ever_shown(path: Path, form: str) -> None:
    """Whatever is wrong with a document, no output holds a content key of it, in base64 or hexadecimal."""
    done = run("validate", str(path), "--format", form)
    assert done.exit_code in {0, 1, 2}
    values = re.findall(rb"PlainValue>([A-Za-z0-9+/=]{20,})<", path.read_bytes())
    public = path.stem in {"key-is-kid", "key-is-iv"}
    for value in values:
        assert value.decode() not in done.stdout or public
        assert public or base64.b64decode(value).hex() not in done.stdout


def test_a_key_in_a_wrong_place_is_masked_too() -> None:
    """Text inside the lists of keys is masked whatever its element is, and values of attributes that look like keys."""
    key = "c2VjcmV0IGNvbnRlbnQga2V5IQ=="
    data = f"""<CPIX xmlns="urn:dashif:org:cpix" version="2.4"><ContentKeyList>
<ContentKey kid="b4c3188b-eddd-453d-9bc2-1cbca7566239" key="{key}"/>
<Key>{key}</Key><!-- {key} --><![CDATA[{key}]]>
<?key {key}?></ContentKeyList></CPIX>""".encode()
    done = run("validate", "-", data=data)
    assert done.exit_code == 1
    assert "structure-attribute-unknown" in done.stdout
    assert "<Key" in done.stdout
    assert key not in done.stdout
    broken = run("validate", "-", data=data.replace(b"</CPIX>", b""))
    assert broken.exit_code == 2
    assert key not in broken.stdout


def test_findings_that_say_the_same_are_told_once() -> None:
    """One fault in many places is one block with the other lines; few places are shown one by one."""
    one = f'<DRMSystem kid="{KID}" systemId="edef8ba9-79d6-4ace-a3c8-27dcd51d21ed" x="1"/>\n'
    data = '<CPIX xmlns="urn:dashif:org:cpix" version="2.4"><DRMSystemList>\n{}</DRMSystemList></CPIX>'
    many = run("validate", "-", data=data.format(one * 30).encode()).stdout
    assert many.count("DRMSystem has no attribute x") == 1
    assert "also in line 3, 4, 5, 6, 7, 8, 9, 10 and 21 more" in many
    flat = run("validate", "-", data=data.format(one.strip() * 1200).encode()).stdout
    assert "also in 1,199 other places of this line" in flat
    few = run("validate", "-", data=data.format(one * 2).encode()).stdout
    assert few.count("DRMSystem has no attribute x") == 2


def test_quiet_says_nothing_of_what_is_fine() -> None:
    """With -q, a document without findings is passed over; faults are still told."""
    assert run("validate", VALID, quiet=True).stdout == ""
    assert "kid-duplicate" in run("validate", INVALID, quiet=True).stdout


def test_a_place_wider_than_the_screen_is_cut() -> None:
    """Of an attribute longer than the window the start is shown, and the carets end with the line."""
    data = f'<CPIX xmlns="urn:dashif:org:cpix" version="2.4" name="{"n" * 300}" wrong="{"w! " * 300}"/>'.encode()
    lines = run("validate", "-", data=data).stdout.splitlines()
    shown, marker = lines[3], lines[4]
    assert shown[marker.index("^") :].startswith('wrong="w! w')
    assert shown.endswith("…")
    assert len(marker) == len(shown) - 1


def test_nothing_in_a_document_steers_the_terminal() -> None:
    """Control characters and direction marks of names do not reach the screen."""
    data = (
        (SAMPLES / "attacks" / "terminal.xml")
        .read_bytes()
        .replace(b"ContentKeyUsageRule ", b"ContentKeyUsageRule x='1' ")
    )
    done = run("validate", "-", data=data)
    assert done.exit_code == 1
    assert all(character.isprintable() or character == "\n" for character in done.stdout)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-32-le", "utf-32-be", "iso-8859-1", "utf-8-sig"])
def test_other_encodings_are_shown_right(encoding: str) -> None:
    """The shown line is the document's, whatever its encoding, and the caret stands right behind wide characters."""
    text = '<?xml version="1.0" encoding="{}"?>\n<CPIX xmlns="urn:dashif:org:cpix" name="é" version="2.4" x="1"/>'
    name = {"utf-8-sig": "utf-8"}.get(encoding, encoding)
    lines = run("validate", "-", data=text.format(name).encode(encoding)).stdout.splitlines()
    shown, marker = lines[3], lines[4]
    assert 'name="é"' in shown
    assert shown[marker.index("^") : marker.rindex("^") + 1] == 'x="1"'


SECRET = "oXiM4dif6LRW4m1MN/1jVg=="
IN_THE_CLEAR = (
    f"<c:CPIX xmlns:c='urn:dashif:org:cpix' xmlns:p='urn:ietf:params:xml:ns:keyprov:pskc'><c:ContentKeyList>"
    f"<c:ContentKey kid='x' y='1'><c:Data><p:Secret><p:PlainValue>{SECRET}</p:PlainValue></p:Secret></c:Data>"
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("end", ["</c:ContentKey></c:ContentKeyList></c:CPIX>", "</broken>"])
@pytest.mark.parametrize("start", ["", "\n", "<?xml version='1.0'?>"])
def test_no_encoding_shows_a_key(encoding: str, end: str, start: str) -> None:
    """Whatever the encoding, read or not: no shown line holds a key, not even with something between its letters."""
    done = run("validate", "-", data=(start + IN_THE_CLEAR + end).encode(encoding))
    assert done.exit_code in (1, 2)
    shown = "".join(character for character in done.output if character.isalnum())
    assert SECRET[:8] not in shown


def test_wide_characters_take_two_columns() -> None:
    """The carets stand below the place on the screen, where a wide character takes two columns."""
    data = '<CPIX xmlns="urn:dashif:org:cpix" name="滆柦" version="2.4" x="1"/>'.encode()
    lines = run("validate", "-", data=data).stdout.splitlines()
    assert lines[4].index("^") == lines[3].index('x="1"') + 2


def test_sarif_has_the_structure_of_its_schema() -> None:
    """SARIF 2.1.0: version, runs with a driver whose rules the results point at, levels, regions from line 1."""
    log = json.loads(run("validate", "--format", "sarif", INVALID, ADVICE, "a b.xml").stdout)
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-2.1.0.json")
    (one,) = log["runs"]
    rules = one["tool"]["driver"]["rules"]
    assert one["tool"]["driver"]["name"] == "drmkit"
    assert one["invocations"] == [{"executionSuccessful": False}]
    assert {result["level"] for result in one["results"]} == {"error", "warning"}
    for result in one["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["message"]["text"]
        place = result["locations"][0]["physicalLocation"]
        assert place.get("region", {"startLine": 1})["startLine"] >= 1
        assert re.fullmatch(r"(file:///)?[A-Za-z0-9/._%~-]+", place["artifactLocation"]["uri"])
    assert {a["location"]["uri"] for a in one["artifacts"]} >= {"a%20b.xml"}
    assert json.loads(run("validate", "--format", "sarif", VALID).stdout)["runs"][0]["invocations"] == [
        {"executionSuccessful": True}
    ]


def test_junit_is_what_continuous_integration_reads() -> None:
    """A test case a document; failures and errors are counted, and name all that is wrong; warnings are output."""
    root = etree.fromstring(run("validate", "--format", "junit", VALID, INVALID, REFUSED, ADVICE).stdout.encode())
    (suite,) = root
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("4", "1", "1")
    cases = {Path(str(case.get("name"))).name: case for case in suite}
    assert list(cases["encrypted-2.4.xml"]) == []
    assert cases["kid-duplicate.xml"][0].tag == "failure"
    assert cases["kid-duplicate.xml"][0].get("type") == "kid-duplicate"
    assert cases["xxe-file.xml"][0].tag == "error"
    assert [child.tag for child in cases["key-constant.xml"]] == ["system-out"]
    assert "key-constant" in str(cases["key-constant.xml"][0].text)


def test_a_size_cap_can_be_set() -> None:
    """--max-bytes refuses larger documents as unreadable; at the size itself they pass."""
    size = Path(VALID).stat().st_size
    assert run("validate", VALID, "--max-bytes", str(size)).exit_code == 0
    done = run("validate", VALID, "--max-bytes", str(size - 1))
    assert done.exit_code == 2
    assert "xml-too-large" in done.stdout


def test_rules_lists_the_catalog() -> None:
    """`rules` lists every rule with kind, severity and summary; --kind narrows; JSON has hints and sources too."""
    text = run("rules").stdout
    for entry in catalog():
        assert f"{entry.id} " in text
        assert entry.summary in text
    data = json.loads(run("rules", "--format", "json", "--kind", "security").stdout)
    assert {rule["kind"] for rule in data["rules"]} == {"security"}
    assert set(data["rules"][0]) == {"id", "kind", "severity", "summary", "hint", "source"}
    assert {entry.kind for entry in catalog()} <= set(KINDS)


def test_rules_explains_one() -> None:
    """A rule by name is told with hint and source; an unknown name brings the nearest."""
    assert "AES-128 keys have 16 bytes" in run("rules", "key-length").stdout
    done = run("rules", "key-lenght")
    assert done.exit_code == 2
    assert "Did you mean 'key-length'" in done.stderr


def test_the_catalog_names_every_rule_that_can_occur() -> None:
    """Every rule ID in the code of the reader and of the structure check is in the catalog."""
    files = [path for path in Path(cpix.__file__).parent.glob("*.py") if path.name != "catalog.py"]
    code = "".join(path.read_text(encoding="utf-8") for path in files)
    named = set(re.findall(r'"((?:xml|structure)-[a-z-]+)"', code))
    assert named
    assert named <= {entry.id for entry in catalog()}


def test_large_documents_with_many_faults_are_told_quickly() -> None:
    """Thousands of findings on thousands of lines cost no quadratic search: all of them are placed."""
    one = '<ContentKey kid="b4c3188b-eddd-453d-9bc2-{:012x}" {}="1"/>\n'
    rows = "".join(one.format(number, f"x{number}") for number in range(2000))
    data = f'<CPIX xmlns="urn:dashif:org:cpix" version="2.4"><ContentKeyList>\n{rows}</ContentKeyList></CPIX>'.encode()
    done = run("validate", "-", data=data)
    assert done.stdout.count("has no attribute x") == 2000
    assert done.stdout.count("^") >= 2000 * 4


def test_the_hook_of_other_repositories_runs_a_command_that_exists() -> None:
    """The entry of .pre-commit-hooks.yaml is a command line of drmkit's."""
    text = (SAMPLES.parent / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
    entry = re.search(r"^  entry: drmkit -q (.*)$", text, re.MULTILINE)
    assert entry
    assert run(*entry[1].split()[1:], VALID, quiet=True).exit_code == 0
