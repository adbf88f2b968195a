"""The lines of findings and views: where the start tag begins, however long the document is."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from drmkit import cpix
from drmkit.cli.cpix import cpix as group
from drmkit.cli.output import App

KID = "b4c3188b-eddd-453d-9bc2-1cbca7566239"
ELEMENTS = """<CPIX
  xmlns="urn:dashif:org:cpix"
  version="2.4"
  name="n">{}<ContentKeyList
    id="keys"><ContentKey
      kid="{}"
    /><ContentKey kid="{}"><HDCPData><HDCPOutputProtectionData/></HDCPData></ContentKey>
    <!-- a comment
    of two lines --><ContentKey kid="x"/>
  </ContentKeyList>
  <ContentKeyUsageRuleList>
    <ContentKeyUsageRule kid="{}">
      <VideoFilter/><AudioFilter
      /></ContentKeyUsageRule></ContentKeyUsageRuleList></CPIX>
"""
START = re.compile(r"<(?=[A-Z])")


def text(lines_before: int = 0) -> str:
    """A document whose tags stand in every way on its lines; all but the first start that many lines later."""
    return ELEMENTS.format("\n" * lines_before, KID, KID, KID)


def lines_of_tags(document: str) -> list[int]:
    """In which line each start tag begins, counted in the text itself."""
    return [document.count("\n", 0, match.start()) + 1 for match in START.finditer(document)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
@pytest.mark.parametrize("lines_before", [0, 1, 65_520, 65_534, 65_535, 131_072])
def test_the_line_is_that_in_which_the_tag_begins(lines_before: int, encoding: str) -> None:
    """Also of tags of several lines, of elements without any text around, and beyond what libxml2 counts."""
    written = f'<?xml version="1.0" encoding="{encoding}"?>' + text(lines_before)
    document = cpix.parse(written.encode(encoding))
    found = [document.line_of(element) for element in document.root.iter("{*}*")]
    expected = lines_of_tags(written)
    if encoding == "utf-16":  # its tags of several lines are found with all others, where there are lines to count
        last = [written.count("\n", 0, written.index(">", m.start())) + 1 for m in START.finditer(written)]
        expected = [begin if end >= 65_535 else end for begin, end in zip(expected, last, strict=True)]
    assert found == expected


def test_findings_and_views_name_that_line() -> None:
    """Structure, meaning, views and messages that name another place all count alike."""
    written = text(70_000)
    document = cpix.parse(written.encode())
    begins = lines_of_tags(written)
    lines = {finding.rule: finding.line for finding in cpix.validate(document).findings}
    assert lines["kid-duplicate"] == begins[3]
    assert lines["structure-uuid"] == begins[6]
    assert lines["rule-never-matches"] == begins[8]
    assert [key.line for key in document.content_keys] == [begins[2], begins[3], begins[6]]
    assert document.usage_rules[0].line == begins[8]


def test_an_encoding_that_is_not_counted_anew_is_no_fault() -> None:
    """Where nobody else reads the encoding, the number of libxml2 stands."""
    written = '<?xml version="1.0" encoding="gb18030"?>' + text(70_000)
    document = cpix.parse(written.encode("gb18030"))
    assert document.content_keys[2].line >= lines_of_tags(written)[6]


def test_a_changed_document_has_the_numbers_of_the_parser() -> None:
    """After a change the input is not what the tree is, so that nothing is counted in it."""
    document = cpix.parse(text().encode())
    document.content_keys.remove(document.content_keys[0])
    assert document.content_keys[1].line == lines_of_tags(text())[6]
    document.name = "m"
    assert document.line == 4


def test_the_command_shows_the_line_that_it_names(tmp_path: Path) -> None:
    """Text and JSON name one line, and the text shows it."""
    file = tmp_path / "long.cpix"
    file.write_text(text(70_000))
    line = lines_of_tags(text(70_000))[6]

    def run(*arguments: str) -> str:
        return CliRunner().invoke(group, ["validate", str(file), *arguments], obj=App(environ={})).stdout

    said = run()
    assert f"--> {file}:{line}:" in said
    assert '<ContentKey kid="x"/>' in said
    told = json.loads(run("--format", "json"))
    assert line in {finding["line"] for finding in told["documents"][0]["findings"]}
