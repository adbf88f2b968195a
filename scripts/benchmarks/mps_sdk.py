"""One job with the official SDK: submit it, and print its task ID."""

import json
import sys

from tencentcloud.common import credential
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.mps.v20190612 import models, mps_client

endpoint = HttpProfile(protocol="http", endpoint=sys.argv[1].removeprefix("http://"))
profile = ClientProfile(httpProfile=endpoint, language="en-US")
client = mps_client.MpsClient(credential.Credential("AKIDbench", "secret"), "", profile)
request = models.ProcessMediaRequest()
request.from_json_string(json.dumps(json.loads(sys.argv[2])))
print(client.ProcessMedia(request).TaskId)
