"""The official samples of requests, answers and callbacks: read from the documents, repaired where print broke them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from drmkit.mps.job import Job
from drmkit.mps.models.detail import DescribeTaskDetailResponse
from drmkit.mps.models.request import ProcessMediaResponse
from drmkit.mps.notification import parse
from drmkit.mps.wire import decode, to_builtins

DOCUMENTS = Path(__file__).resolve().parents[3] / "shared" / "documents"
COMMON = {"Action", "Version"}
"""Parameters of every action, which some samples print among those of ProcessMedia."""


@pytest.fixture(scope="module")
def samples() -> list[dict[str, Any]]:
    """Every JSON object of the documents, each as it was before it was printed."""
    if not DOCUMENTS.exists():
        pytest.skip("../shared is absent")
    texts = [path.read_text(encoding="utf-8") for path in sorted(DOCUMENTS.glob("*.txt"))]
    return [value for text in texts for value in objects(text)]


def objects(text: str) -> list[dict[str, Any]]:
    """The JSON objects of a document: blocks that a page break cut in two are joined."""
    found = []
    for block in re.findall(r"^```\w*\n(.*?)^```$", text.replace("```\n\n```\n", ""), re.DOTALL | re.MULTILINE):
        body = re.sub(r"^POST (?:.*\n)*?\s*(?=[{}])", "", block)
        try:
            value = json.loads(repaired(body))
        except ValueError:
            continue
        if isinstance(value, dict):
            found.append(value)
    return [*found, *(value for value in unfenced(text) if value not in found)]


def unfenced(text: str) -> list[dict[str, Any]]:
    """The JSON objects that stand in the running text."""
    found, start = [], 0
    while (start := text.find('{\n    "Response"', start)) >= 0:
        try:
            value, start = json.JSONDecoder().raw_decode(text, start)
            found.append(value)
        except ValueError:
            start += 1
    return found


def repaired(text: str) -> str:
    """A sample with its comments dropped, texts that the margin cut closed, and placeholders for numbers filled."""
    lines = []
    for number, raw in enumerate(text.strip().splitlines()):
        line = re.sub(r"(^|[,{\d]) *//.*|(?<=\d) //.*", r"\1", raw.rstrip()).rstrip()
        line = "{" if number == 0 and line == "}" else line
        lines.append(line + '"' if line.count('"') % 2 else line)
    joined = re.sub(r",(\s*[}\]])", r"\1", "\n".join(lines))
    return joined.replace("<definition id>", "12")


def test_the_sample_of_a_drm_job(samples: list[dict[str, Any]]) -> None:
    """The DRM sample reads without a schema finding; with its placeholders filled it is a valid job, unchanged."""
    (sample,) = [item for item in samples if "SpekeDrm" in json.dumps(item)]
    speke = sample["MediaProcessTask"]["AdaptiveDynamicStreamingTaskSet"][0]["DrmInfo"]["SpekeDrm"]
    path = "MediaProcessTask.AdaptiveDynamicStreamingTaskSet[0].DrmInfo.SpekeDrm"
    found = {finding.path for finding in Job.from_builtins(sample).check() if finding.severity == "error"}
    assert found == {f"{path}.KeyServerUrl", f"{path}.Vector", "TaskNotifyConfig.NotifyUrl"}
    url = "https://fe.drmtoday.com/frontend/cpix/v1/org/ingest/config?ticket=ST-1"
    speke |= {"KeyServerUrl": url, "Vector": "00112233445566778899aabbccddeeff"}
    sample["TaskNotifyConfig"]["NotifyUrl"] = "https://hooks.example.com/mps"
    job = Job.from_builtins(sample)
    assert [finding for finding in job.check() if finding.severity == "error"] == []
    sent = to_builtins(job.request([url]), reveal=True)
    assert sent == sample | {"SessionId": job.session_id()}


def test_every_sample_of_a_request(samples: list[dict[str, Any]]) -> None:
    """Every ProcessMedia sample is a job to drmkit: each field is known, with its type."""
    requests = [item for item in samples if "InputInfo" in item]
    assert len(requests) >= 4
    for sample in requests:
        job = Job.from_builtins({name: value for name, value in sample.items() if name not in COMMON})
        assert job.schema_findings == ()


def test_every_sample_of_an_answer(samples: list[dict[str, Any]]) -> None:
    """The TaskId of each answer is read; the sample of a task's detail is read leniently, as it is no whole one."""
    answers = [item["Response"] for item in samples if "Response" in item]
    ids = [decode(ProcessMediaResponse, json.dumps(item).encode()).task_id for item in answers if "TaskId" in item]
    assert "24000035-WorkflowTask-cf405e365e75efb2a7bfdef514cc17dbtt195964" in ids
    for item in answers:
        if "WorkflowTask" in item:
            assert decode(DescribeTaskDetailResponse, json.dumps(item).encode()).workflow_task is not None


def test_every_sample_of_a_callback(samples: list[dict[str, Any]]) -> None:
    """The whole samples of callbacks are notifications with a documented event and their task."""
    callbacks = [
        item for item in samples if "NotificationType" in item or "NotificationType" in item.get("Response", {})
    ]
    assert callbacks
    for item in callbacks:
        found = parse(json.dumps(item).encode())
        assert found.known
        assert found.live
        assert found.task_id
