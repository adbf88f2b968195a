"""The floor: one job with httpx and twenty lines of TC3, without any model or check."""

import hashlib
import hmac
import json
import sys
import time
from datetime import UTC, datetime

import httpx

endpoint, parameters = sys.argv[1], json.loads(sys.argv[2])
host = endpoint.partition("://")[2]
body = json.dumps(parameters).encode()
now = int(time.time())
date = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d")
digest = hashlib.sha256(body).hexdigest()
canonical = f"POST\n/\n\ncontent-type:application/json\nhost:{host}\n\ncontent-type;host\n{digest}"
scope = f"{date}/mps/tc3_request"
text = f"TC3-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
key = b"TC3secret"
for part in (date, "mps", "tc3_request"):
    key = hmac.new(key, part.encode(), hashlib.sha256).digest()
signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
headers = {
    "Content-Type": "application/json",
    "Host": host,
    "X-TC-Action": "ProcessMedia",
    "X-TC-Version": "2019-06-12",
    "X-TC-Timestamp": str(now),
    "Authorization": f"TC3-HMAC-SHA256 Credential=AKIDbench/{scope}, SignedHeaders=content-type;host, "
    f"Signature={signature}",
}
with httpx.Client() as client:
    print(client.post(f"{endpoint}/", content=body, headers=headers).json()["Response"]["TaskId"])
