"""The wire contract of the media processing API, as its server checks it: fields, types, required ones.

Written apart from `drmkit.mps` on purpose: a server that shared the client's tables would share its mistakes.
Source: https://www.tencentcloud.com/document/product/1041/33640 and the pages that it links.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["OBJECTS", "ApiRefusalError", "check_object", "unflatten"]

# One line an object: its name, then its fields as `Name[!]:type`; `!` marks a required one, `[]` a list.
# `json` stands for an object that the sandbox takes as it is; `count` is a uint64 that may come as digits in a text.
_TABLE = """
ProcessMedia InputInfo!:MediaInputInfo OutputStorage:TaskOutputStorage OutputDir:string ScheduleId:int64
    MediaProcessTask:MediaProcessTaskInput AiContentReviewTask:AiContentReviewTaskInput
    AiAnalysisTask:AiAnalysisTaskInput AiRecognitionTask:AiRecognitionTaskInput
    AiQualityControlTask:AiQualityControlTaskInput SmartSubtitlesTask:SmartSubtitlesTaskInput
    SmartEraseTask:SmartEraseTaskInput AIDubbingTask:AIDubbingTaskInput
    TaskNotifyConfig:TaskNotifyConfig TasksPriority:int64 SessionId:string SessionContext:string TaskType:string
    ResourceId:string Activities:json[] SkipMateData:int64
ProcessLiveStream Url!:string TaskNotifyConfig!:LiveStreamTaskNotifyConfig OutputStorage:TaskOutputStorage
    OutputDir:string AiContentReviewTask:AiContentReviewTaskInput AiRecognitionTask:AiRecognitionTaskInput
    AiAnalysisTask:AiAnalysisTaskInput AiQualityControlTask:AiQualityControlTaskInput
    SmartSubtitlesTask:LiveSmartSubtitlesTaskInput SessionId:string SessionContext:string ScheduleId:int64
    ResourceId:string
ProcessMediaByMPS FileId!:string SubAppId!:uint64 MPSProcessMediaParams:string AiAnalysisTask:AiAnalysisTaskInput
    SmartSubtitlesTask:VodSmartSubtitlesTaskInput SmartEraseTask:VodSmartEraseTaskInput ExtInfo:string
DescribeVodTask TaskId!:string SubAppId:uint64
AiContentReviewTaskInput Definition!:uint64
AiAnalysisTaskInput Definition!:uint64 ExtendedParameter:string
AiRecognitionTaskInput Definition!:uint64 UserExtPara:string
AiQualityControlTaskInput Definition:uint64 ChannelExtPara:string
SmartSubtitlesTaskInput Definition:uint64 UserExtPara:string RawParameter:json OutputStorage:TaskOutputStorage
    OutputObjectPath:string
SmartEraseTaskInput Definition:int64 RawParameter:json OverrideParameter:json OutputStorage:TaskOutputStorage
    OutputObjectPath:string
AIDubbingTaskInput Definition:int64 RawParameter:json OverrideParameter:json OutputStorage:TaskOutputStorage
    SrcSubtitleInfo:MediaInputInfo DstSubtitleInfos:json[] OutputObjectPath:string ExtendedParameter:string
    DramaId:string
AnimatedGraphicTaskInput Definition!:uint64 StartTimeOffset!:float EndTimeOffset!:float
    OutputStorage:TaskOutputStorage OutputObjectPath:string ExtInfo:string
SnapshotByTimeOffsetTaskInput Definition!:uint64 ExtTimeOffsetSet:string[] TimeOffsetSet:float[] WatermarkSet:json[]
    OutputStorage:TaskOutputStorage OutputObjectPath:string ObjectNumberFormat:json ExtInfo:string
SampleSnapshotTaskInput Definition!:uint64 WatermarkSet:json[] OutputStorage:TaskOutputStorage OutputObjectPath:string
    ObjectNumberFormat:json ExtInfo:string
ImageSpriteTaskInput Definition!:uint64 OutputStorage:TaskOutputStorage OutputObjectPath:string
    WebVttObjectName:string ObjectNumberFormat:json ExtInfo:string
LiveSmartSubtitlesTaskInput Definition:uint64 UserExtPara:string
VodSmartSubtitlesTaskInput Definition:uint64 RawParameter:json
VodSmartEraseTaskInput Definition:uint64 RawParameter:json OverrideParameter:json
TranscodeTaskInput Definition!:uint64 RawParameter:json OverrideParameter:json WatermarkSet:json[] BlindWatermark:json
    MosaicSet:json[] StartTimeOffset:float EndTimeOffset:float OutputStorage:TaskOutputStorage
    OutputObjectPath:string SegmentObjectName:string ObjectNumberFormat:json HeadTailParameter:json
LiveStreamTaskNotifyConfig NotifyType:string NotifyUrl:string CmqModel:string CmqRegion:string QueueName:string
    TopicName:string NotifyKey:string
ParseNotification Content!:string
ParseLiveStreamProcessNotification Content!:string
DescribeTaskDetail TaskId!:string
DescribeTasks Status!:string SubTaskHasFailed:bool Limit:count ScrollToken:string StartTime:string EndTime:string
DescribeAdaptiveDynamicStreamingTemplates Definitions:uint64[] Offset:uint64 Limit:uint64 Type:string PureAudio:uint64
    Name:string
ManageTask OperationType!:string TaskId!:string
MediaInputInfo Type!:string CosInputInfo:CosInputInfo UrlInputInfo:UrlInputInfo S3InputInfo:S3InputInfo
    VODInputInfo:VODInputInfo
CosInputInfo Bucket!:string Region!:string Object!:string
UrlInputInfo Url!:string
S3InputInfo S3Bucket!:string S3Region!:string S3Object!:string S3SecretId:string S3SecretKey:string
VODInputInfo Bucket:string Region:string Object:string SubAppId:uint64 VodBasic:int64 FileId:string
TaskOutputStorage Type!:string CosOutputStorage:CosOutputStorage S3OutputStorage:S3OutputStorage
    VODOutputStorage:VODOutputStorage
CosOutputStorage Bucket:string Region:string
S3OutputStorage S3Bucket!:string S3Region!:string S3SecretId:string S3SecretKey:string
VODOutputStorage Bucket:string Region:string SubAppId:uint64 VodBasic:int64
MediaProcessTaskInput TranscodeTaskSet:TranscodeTaskInput[] AnimatedGraphicTaskSet:AnimatedGraphicTaskInput[]
    SnapshotByTimeOffsetTaskSet:SnapshotByTimeOffsetTaskInput[]
    SampleSnapshotTaskSet:SampleSnapshotTaskInput[] ImageSpriteTaskSet:ImageSpriteTaskInput[]
    AdaptiveDynamicStreamingTaskSet:AdaptiveDynamicStreamingTaskInput[]
AdaptiveDynamicStreamingTaskInput Definition!:uint64 WatermarkSet:json[] BlindWatermark:json
    OutputStorage:TaskOutputStorage OutputObjectPath:string SubStreamObjectName:string SegmentObjectName:string
    AddOnSubtitles:json[] DrmInfo:DrmInfo DefinitionType:string SubtitleTemplate:json StdExtInfo:string
    KeyPTSList:int64[] AddOnAudios:json[] StdExtStreamInfos:json[]
DrmInfo Type!:string SimpleAesDrm:SimpleAesDrm SpekeDrm:SpekeDrm
SimpleAesDrm Uri!:string Key!:string Vector:string
SpekeDrm ResourceId!:string KeyServerUrl!:string Vector!:string EncryptionMethod:string EncryptionPreset:string
TaskNotifyConfig NotifyType:string NotifyMode:string NotifyUrl:string CmqModel:string CmqRegion:string
    TopicName:string QueueName:string AwsSQS:AwsSQS NotifyKey:string
AwsSQS SQSRegion!:string SQSQueueName!:string S3SecretId:string S3SecretKey:string
"""


class ApiRefusalError(Exception):
    """The API refuses a request.

    Args:
        code: the error code on the wire.
        message: the error text on the wire.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class _Field:
    kind: str
    required: bool
    is_list: bool


def _read_table() -> dict[str, dict[str, _Field]]:
    objects: dict[str, dict[str, _Field]] = {}
    for line in _TABLE.strip().splitlines():
        words = line.split()
        if not line.startswith(" "):
            fields = objects[words.pop(0)] = {}
        for word in words:
            name, _, kind = word.partition(":")
            fields[name.removesuffix("!")] = _Field(kind.removesuffix("[]"), name.endswith("!"), kind.endswith("[]"))
    return objects


OBJECTS = _read_table()


def check_object(kind: str, value: dict[str, Any], path: str = "", *, as_text: bool = False) -> dict[str, Any]:
    """Check an object of a request and return it without its null fields.

    Args:
        kind: the object's name in the contract.
        value: the object.
        path: where it stands, such as `InputInfo.`.
        as_text: numbers and booleans come as text, as in a GET request.

    Raises:
        ApiRefusalError: `UnknownParameter`, `MissingParameter` or `InvalidParameter`, naming the field.
    """
    fields = OBJECTS[kind]
    for name in value:
        if name not in fields:
            raise ApiRefusalError("UnknownParameter", f"The parameter `{path}{name}` is not recognized.")
    checked = {}
    for name, field in fields.items():
        item = value.get(name)
        if item is None:
            if field.required:
                raise ApiRefusalError(
                    "MissingParameter", f"The request is missing a required parameter `{path}{name}`."
                )
            continue
        checked[name] = _check_field(field, item, f"{path}{name}", as_text=as_text)
    return checked


def _check_field(field: _Field, value: Any, path: str, *, as_text: bool) -> Any:
    if not field.is_list:
        return _check_value(field.kind, value, path, as_text=as_text)
    if not isinstance(value, list):
        raise _wrong_type(path)
    return [_check_value(field.kind, item, f"{path}.{index}", as_text=as_text) for index, item in enumerate(value)]


def _check_value(kind: str, value: Any, path: str, *, as_text: bool) -> Any:
    if kind in OBJECTS:
        if not isinstance(value, dict):
            raise _wrong_type(path)
        return check_object(kind, value, f"{path}.", as_text=as_text)
    if kind == "json":
        right = isinstance(value, dict)
    elif kind == "string":
        right = isinstance(value, str)
    elif kind == "float":
        right = isinstance(value, int | float) and not isinstance(value, bool)
    else:
        value = _from_text(kind, value) if as_text or kind == "count" else value
        wanted = bool if kind == "bool" else int
        right = type(value) is wanted and not (kind in {"uint64", "count"} and value < 0)
    if not right:
        raise _wrong_type(path)
    return value


def _from_text(kind: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if kind == "bool":
        return {"true": True, "false": False}.get(value.lower(), value)
    digits = value.removeprefix("-")
    return int(value) if digits.isascii() and digits.isdigit() else value


def _wrong_type(path: str) -> ApiRefusalError:
    return ApiRefusalError("InvalidParameter", f"The value type of parameter `{path}` is not valid.")


def unflatten(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """Build the parameters of a GET request, `A.B.0.C=x`, into nested objects and lists.

    Raises:
        ApiRefusalError: the names contradict each other.
    """
    root: dict[str, Any] = {}
    for name, value in pairs:
        *parents, last = name.split(".")
        node = root
        for part in parents:
            node = node.setdefault(part, {})
            if not isinstance(node, dict):
                raise ApiRefusalError("InvalidParameter", f"The parameter `{name}` is given in two ways.")
        if last in node:
            raise ApiRefusalError("InvalidParameter", f"The parameter `{name}` is given twice.")
        node[last] = value
    return {name: _as_lists(value) for name, value in root.items()}


def _as_lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(name.isascii() and name.isdigit() for name in value):
        return [_as_lists(value[name]) for name in sorted(value, key=int)]
    return {name: _as_lists(item) for name, item in value.items()}
