"""Results of content recognition: faces, speech, on-screen text, objects."""

from __future__ import annotations

from drmkit.mps.models.storage import TaskOutputStorage
from drmkit.mps.wire import Model, Unsigned

__all__ = [
    "AiRecognitionResult",
    "AiRecognitionTaskAsrFullTextResult",
    "AiRecognitionTaskAsrFullTextResultInput",
    "AiRecognitionTaskAsrFullTextResultOutput",
    "AiRecognitionTaskAsrFullTextSegmentItem",
    "AiRecognitionTaskAsrWordsResult",
    "AiRecognitionTaskAsrWordsResultInput",
    "AiRecognitionTaskAsrWordsResultItem",
    "AiRecognitionTaskAsrWordsResultOutput",
    "AiRecognitionTaskAsrWordsSegmentItem",
    "AiRecognitionTaskFaceResult",
    "AiRecognitionTaskFaceResultInput",
    "AiRecognitionTaskFaceResultItem",
    "AiRecognitionTaskFaceResultOutput",
    "AiRecognitionTaskFaceSegmentItem",
    "AiRecognitionTaskObjectResult",
    "AiRecognitionTaskObjectResultInput",
    "AiRecognitionTaskObjectResultItem",
    "AiRecognitionTaskObjectResultOutput",
    "AiRecognitionTaskObjectSeqmentItem",
    "AiRecognitionTaskOcrFullTextResult",
    "AiRecognitionTaskOcrFullTextResultInput",
    "AiRecognitionTaskOcrFullTextResultOutput",
    "AiRecognitionTaskOcrFullTextSegmentItem",
    "AiRecognitionTaskOcrFullTextSegmentTextItem",
    "AiRecognitionTaskOcrWordsResult",
    "AiRecognitionTaskOcrWordsResultInput",
    "AiRecognitionTaskOcrWordsResultItem",
    "AiRecognitionTaskOcrWordsResultOutput",
    "AiRecognitionTaskOcrWordsSegmentItem",
    "AiRecognitionTaskTransTextResult",
    "AiRecognitionTaskTransTextResultInput",
    "AiRecognitionTaskTransTextResultOutput",
    "AiRecognitionTaskTransTextSegmentItem",
    "WordResult",
]


class AiRecognitionTaskFaceResultInput(Model):
    """What the face recognition task is given."""

    definition: int | None = None


class AiRecognitionTaskFaceSegmentItem(Model):
    """One segment of a finding: recognition: face."""

    start_time_offset: float | None = None
    end_time_offset: float | None = None
    confidence: float | None = None
    area_coord_set: list[int] | None = None


class AiRecognitionTaskFaceResultItem(Model):
    """One finding of the recognition: face task."""

    id: str | None = None
    type: str | None = None
    name: str | None = None
    segment_set: list[AiRecognitionTaskFaceSegmentItem] | None = None
    gender: str | None = None
    birthday: str | None = None
    profession: str | None = None
    school_of_graduation: str | None = None
    abstract: str | None = None
    place_of_birth: str | None = None
    person_type: str | None = None
    remark: str | None = None
    url: str | None = None


class AiRecognitionTaskFaceResultOutput(Model):
    """What the face recognition task found."""

    result_set: list[AiRecognitionTaskFaceResultItem] | None = None


class AiRecognitionTaskFaceResult(Model):
    """How the face recognition task ended."""

    status: str | None = None
    err_code_ext: str | None = None
    err_code: int | None = None
    message: str | None = None
    input: AiRecognitionTaskFaceResultInput | None = None
    output: AiRecognitionTaskFaceResultOutput | None = None


class AiRecognitionTaskAsrWordsResultInput(Model):
    """What the speech words recognition task is given."""

    definition: int | None = None


class AiRecognitionTaskAsrWordsSegmentItem(Model):
    """One segment of a finding: recognition: speech words."""

    start_time_offset: float | None = None
    end_time_offset: float | None = None
    confidence: float | None = None


class AiRecognitionTaskAsrWordsResultItem(Model):
    """One finding of the recognition: speech words task."""

    word: str | None = None
    segment_set: list[AiRecognitionTaskAsrWordsSegmentItem] | None = None


class AiRecognitionTaskAsrWordsResultOutput(Model):
    """What the speech words recognition task found."""

    result_set: list[AiRecognitionTaskAsrWordsResultItem] | None = None


class AiRecognitionTaskAsrWordsResult(Model):
    """How the speech words recognition task ended."""

    status: str | None = None
    err_code_ext: str | None = None
    err_code: int | None = None
    message: str | None = None
    input: AiRecognitionTaskAsrWordsResultInput | None = None
    output: AiRecognitionTaskAsrWordsResultOutput | None = None


class AiRecognitionTaskAsrFullTextResultInput(Model):
    """What the speech full text recognition task is given."""

    definition: int | None = None


class WordResult(Model):
    """One recognized word."""

    word: str | None = None
    start: float | None = None
    end: float | None = None
    trans: str | None = None


class AiRecognitionTaskAsrFullTextSegmentItem(Model):
    """One segment of a finding: recognition: speech full text."""

    confidence: float | None = None
    start_time_offset: float | None = None
    end_time_offset: float | None = None
    text: str | None = None
    wordlist: list[WordResult] | None = None


class AiRecognitionTaskAsrFullTextResultOutput(Model):
    """What the speech full text recognition task found."""

    segment_set: list[AiRecognitionTaskAsrFullTextSegmentItem] | None = None
    subtitle_path: str | None = None
    output_storage: TaskOutputStorage | None = None


class AiRecognitionTaskAsrFullTextResult(Model):
    """How the speech full text recognition task ended."""

    status: str | None = None
    err_code_ext: str | None = None
    err_code: int | None = None
    message: str | None = None
    input: AiRecognitionTaskAsrFullTextResultInput | None = None
    output: AiRecognitionTaskAsrFullTextResultOutput | None = None
    progress: Unsigned | None = None


class AiRecognitionTaskOcrWordsResultInput(Model):
    """What the on-screen text words recognition task is given."""

    definition: int | None = None


class AiRecognitionTaskOcrWordsSegmentItem(Model):
    """One segment of a finding: recognition: on-screen text words."""

    start_time_offset: float | None = None
    end_time_offset: float | None = None
    confidence: float | None = None
    area_coord_set: list[int] | None = None


class AiRecognitionTaskOcrWordsResultItem(Model):
    """One finding of the recognition: on-screen text words task."""

    word: str | None = None
    segment_set: list[AiRecognitionTaskOcrWordsSegmentItem] | None = None


class AiRecognitionTaskOcrWordsResultOutput(Model):
    """What the on-screen text words recognition task found."""

    result_set: list[AiRecognitionTaskOcrWordsResultItem] | None = None


class AiRecognitionTaskOcrWordsResult(Model):
    """How the on-screen text words recognition task ended."""

    status: str | None = None
    err_code_ext: str | None = None
    err_code: int | None = None
    message: str | None = None
    input: AiRecognitionTaskOcrWordsResultInput | None = None
    output: AiRecognitionTaskOcrWordsResultOutput | None = None


class AiRecognitionTaskOcrFullTextResultInput(Model):
    """What the on-screen text full text recognition task is given."""

    definition: int | None = None


class AiRecognitionTaskOcrFullTextSegmentTextItem(Model):
    """The text of a segment: on-screen text full text recognition."""

    confidence: float | None = None
    area_coord_set: list[int] | None = None
    text: str | None = None


class AiRecognitionTaskOcrFullTextSegmentItem(Model):
    """One segment of a finding: recognition: on-screen text full text."""

    start_time_offset: float | None = None
    end_time_offset: float | None = None
    text_set: list[AiRecognitionTaskOcrFullTextSegmentTextItem] | None = None


class AiRecognitionTaskOcrFullTextResultOutput(Model):
    """What the on-screen text full text recognition task found."""

    segment_set: list[AiRecognitionTaskOcrFullTextSegmentItem] | None = None


class AiRecognitionTaskOcrFullTextResult(Model):
    """How the on-screen text full text recognition task ended."""

    status: str | None = None
    err_code_ext: str | None = None
    err_code: int | None = None
    message: str | None = None
    input: AiRecognitionTaskOcrFullTextResultInput | None = None
    output: AiRecognitionTaskOcrFullTextResultOutput | None = None


class AiRecognitionTaskTransTextResultInput(Model):
    """What the translation text recognition task is given."""

    definition: int | None = None


class AiRecognitionTaskTransTextSegmentItem(Model):
    """One segment of a finding: recognition: translation text."""

    confidence: float | None = None
    start_time_offset: float | None = None
    end_time_offset: float | None = None
    text: str | None = None
    trans: str | None = None
    wordlist: list[WordResult] | None = None


class AiRecognitionTaskTransTextResultOutput(Model):
    """What the translation text recognition task found."""

    segment_set: list[AiRecognitionTaskTransTextSegmentItem] | None = None
    subtitle_path: str | None = None


class AiRecognitionTaskTransTextResult(Model):
    """How the translation text recognition task ended."""

    status: str | None = None
    err_code_ext: str | None = None
    err_code: int | None = None
    message: str | None = None
    input: AiRecognitionTaskTransTextResultInput | None = None
    output: AiRecognitionTaskTransTextResultOutput | None = None
    progress: Unsigned | None = None


class AiRecognitionTaskObjectResultInput(Model):
    """What the object recognition task is given."""

    definition: int | None = None


class AiRecognitionTaskObjectSeqmentItem(Model):
    """Where an object is seen (the misspelling is the API's)."""

    start_time_offset: float | None = None
    end_time_offset: float | None = None
    confidence: float | None = None
    area_coord_set: list[int] | None = None


class AiRecognitionTaskObjectResultItem(Model):
    """One finding of the recognition: object task."""

    name: str | None = None
    segment_set: list[AiRecognitionTaskObjectSeqmentItem] | None = None


class AiRecognitionTaskObjectResultOutput(Model):
    """What the object recognition task found."""

    result_set: list[AiRecognitionTaskObjectResultItem] | None = None


class AiRecognitionTaskObjectResult(Model):
    """How the object recognition task ended."""

    status: str | None = None
    err_code: int | None = None
    message: str | None = None
    input: AiRecognitionTaskObjectResultInput | None = None
    output: AiRecognitionTaskObjectResultOutput | None = None


class AiRecognitionResult(Model):
    """The result of one recognition task: `type` says which of the fields holds it."""

    type: str | None = None
    face_task: AiRecognitionTaskFaceResult | None = None
    asr_words_task: AiRecognitionTaskAsrWordsResult | None = None
    asr_full_text_task: AiRecognitionTaskAsrFullTextResult | None = None
    ocr_words_task: AiRecognitionTaskOcrWordsResult | None = None
    ocr_full_text_task: AiRecognitionTaskOcrFullTextResult | None = None
    trans_text_task: AiRecognitionTaskTransTextResult | None = None
    object_task: AiRecognitionTaskObjectResult | None = None
