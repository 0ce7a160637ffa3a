"""The official SDKs for Python and Node and our own layer, through the daemon's door, in one trace and one graph.

`XRAY_LOCAL_NODE` names a folder in which the package aws-xray-sdk is installed, `XRAY_LOCAL_LAYER` the example
`layer_client` of this crate.
"""

import json
import os
import subprocess
import sys
import time
import unittest

from harness import ServerTest, until

HERE = os.path.dirname(os.path.abspath(__file__))
NODE = os.environ.get("XRAY_LOCAL_NODE")
LAYER = os.environ.get("XRAY_LOCAL_LAYER")

PYTHON_CLIENT = """
import sys
from aws_xray_sdk.core import xray_recorder
xray_recorder.configure(service="python", sampling=False)
segment = xray_recorder.begin_segment("python")
segment.put_annotation("language", "python")
call = xray_recorder.begin_subsegment("node", namespace="remote")
call.put_http_meta("method", "GET")
call.put_http_meta("url", "http://node/")
call.put_http_meta("status", 200)
print(f"Root={segment.trace_id};Parent={call.id};Sampled=1")
xray_recorder.end_subsegment()
xray_recorder.end_segment()
"""

class SdkTest(ServerTest):
    def run_client(self, *command, **environment):
        variables = {**os.environ, "AWS_XRAY_DAEMON_ADDRESS": self.server.daemon_address, **environment}
        # The SDK for Node wants some region and keys to make its own client with; nothing is signed.
        variables.update(AWS_REGION="us-east-1", AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="x")
        done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.strip()

    def node(self, script, *arguments):
        return self.run_client("node", os.path.join(HERE, script), *arguments, NODE_PATH=os.path.join(NODE, "node_modules"))

    @unittest.skipUnless(NODE and LAYER, "XRAY_LOCAL_NODE and XRAY_LOCAL_LAYER are not set")
    def test_python_node_and_rust_meet_in_one_graph(self):
        header = self.run_client(sys.executable, "-c", PYTHON_CLIENT)
        header = self.node("node_client.js", header)
        self.run_client(LAYER, header)
        trace = header.split(";")[0].removeprefix("Root=")
        xray = self.server.client()

        def services():
            found = xray.get_trace_graph(TraceIds=[trace])["Services"]
            return {service["Name"]: service for service in found if service.get("Type") != "client"}

        names = {"python", "node", "rust"}
        until(lambda: all(services().get(name, {}).get("State") == "active" for name in names))
        graph = services()
        self.assertEqual(set(graph), names)
        references = {service["ReferenceId"]: name for name, service in graph.items()}
        edges = {(name, references[edge["ReferenceId"]]) for name, service in graph.items() for edge in service["Edges"]}
        self.assertEqual(edges, {("python", "node"), ("node", "rust")})
        now = time.time()
        page = xray.get_trace_summaries(
            StartTime=now - 600,
            EndTime=now + 60,
            FilterExpression='edge("python", "node") AND edge("node", "rust") AND annotation.language = "rust"',
        )
        self.assertEqual([summary["Id"] for summary in page["TraceSummaries"]], [trace])
        languages = {value["AnnotationValue"]["StringValue"] for value in page["TraceSummaries"][0]["Annotations"]["language"]}
        self.assertEqual(languages, names)
        # The layer's other trace was decided by the default rule, which keeps everything here.
        until(
            lambda: xray.get_trace_summaries(
                StartTime=now - 600, EndTime=now + 60, FilterExpression='service("rust") AND !service("node")'
            )["TraceSummaries"]
        )

    def test_the_sampler_for_python(self):
        script = """
import json, os
from aws_xray_sdk.core.context import Context
from aws_xray_sdk.core.daemon_config import DaemonConfig
from aws_xray_sdk.core.sampling.sampler import DefaultSampler
sampler = DefaultSampler()
sampler.load_settings(DaemonConfig(os.environ["AWS_XRAY_DAEMON_ADDRESS"]), Context(), "AWS::EC2::Instance")
sampler._rule_poller._refresh_cache()
decision = sampler.should_trace({"host": "h", "method": "GET", "path": "/", "service": "python-service"})
sampler._target_poller._do_work()
rules = sampler._cache.rules
print(json.dumps({
    "decision": decision,
    "rules": [rule.name for rule in rules],
    "quota": rules[-1].reservoir.quota,
}))
"""
        found = json.loads(self.run_client(sys.executable, "-c", script).splitlines()[-1])
        self.assertEqual(found["rules"][-1], "Default")
        self.assertTrue(found["decision"])
        # The reservoir of one may be the sampler's for Node, until its quota ends.
        self.assertIn(found["quota"], (0, 1))

    @unittest.skipUnless(NODE, "XRAY_LOCAL_NODE is not set")
    def test_the_sampler_for_node(self):
        found = json.loads(self.node("node_sampler.js").splitlines()[-1])
        # The reservoir of one may be the sampler's for Python, until its quota ends.
        self.assertEqual((found["rule"], found["rate"]), ("Default", 1))
        self.assertIn(found["quota"], (0, 1))


if __name__ == "__main__":
    unittest.main()
