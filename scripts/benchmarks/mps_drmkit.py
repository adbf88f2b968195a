"""One job with drmkit: build, check, sign and submit it, and print its task ID."""

import sys

from drmkit.http import HttpClient
from drmkit.mps import Credentials, Job, MpsClient, StreamingTask, drm
from drmkit.secret import Secret

KEY_URL = "https://fe.drmtoday.com/frontend/cpix/v1/6f1c1bb8/ingest/510466cc?ticket=ST-2417-bench"
protection = drm.Widevine(
    resource_id="movie-1",
    key_source=KEY_URL,
    iv="452ac1553f19b846e2f2c4cffd8f4a9b",
    method="cenc",
    preset="preset0",
)
job = Job.build(
    input="cos://source-1250000000/ap-singapore/in/movie.mp4",
    output="cos://target-1250000000/ap-singapore/out/",
    tasks=[StreamingTask(12, protection)],
)
with HttpClient() as http:
    client = MpsClient(sys.argv[1], Credentials("AKIDbench", Secret("secret")), http=http)
    print(client.process_media(job.request([KEY_URL])))
