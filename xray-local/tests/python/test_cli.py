"""Every operation through the AWS CLI, and what a person types first."""

import json
import os
import subprocess
import sys
import time
import unittest

import botocore.session

from harness import PROGRAM, REGION, ServerTest, segment, trace_id

AWS = os.path.join(os.path.dirname(sys.executable), "aws")
INSIGHT = "12345678-1234-1234-8234-123456789012"
NONE = "InvalidRequestException"


class CliTest(ServerTest):
    FLAGS = ("--access", "enforce")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.keys = cls.server.identity("admin", "AWSXrayFullAccess")

    def aws(self, service, command, *arguments, fails=None, keys=None):
        keys = keys or self.keys
        environment = {
            **os.environ,
            "AWS_ACCESS_KEY_ID": keys["access_key_id"],
            "AWS_SECRET_ACCESS_KEY": keys["secret_access_key"],
            "AWS_DEFAULT_REGION": REGION,
            "AWS_MAX_ATTEMPTS": "1",
            "AWS_PAGER": "",
        }
        if "session_token" in keys:
            environment["AWS_SESSION_TOKEN"] = keys["session_token"]
        line = [AWS, service, command, "--endpoint-url", self.server.endpoint, "--output", "json", *arguments]
        done = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=300)
        if fails:
            self.assertNotEqual(done.returncode, 0, command)
            self.assertIn(f"({fails})", done.stderr)
            return None
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout) if done.stdout.strip() else None

    def test_every_operation(self):
        called = set()

        def xray(command, *arguments, **options):
            called.add(command)
            return self.aws("xray", command, *arguments, **options)

        trace, now = trace_id(), time.time()
        span = ("--start-time", str(int(now - 600)), "--end-time", str(int(now + 60)))
        document = json.dumps([json.dumps(segment(trace, "shop", fault=True))])
        self.assertEqual(xray("put-trace-segments", "--trace-segment-documents", document), {"UnprocessedTraceSegments": []})
        self.assertEqual(xray("batch-get-traces", "--trace-ids", trace)["Traces"][0]["Id"], trace)
        found = xray("get-trace-summaries", *span, "--filter-expression", 'service("shop") AND fault')
        self.assertEqual([summary["Id"] for summary in found["TraceSummaries"]], [trace])
        for graph in (xray("get-service-graph", *span), xray("get-trace-graph", "--trace-ids", trace)):
            self.assertEqual({service["Name"] for service in graph["Services"]}, {"shop"})
        self.assertTrue(xray("get-time-series-service-statistics", *span)["TimeSeriesServiceStatistics"])
        xray("put-telemetry-records", "--telemetry-records", f"Timestamp={int(now)},SegmentsSentCount=1")

        rule = json.dumps(
            {
                "RuleName": "items",
                "ResourceARN": "*",
                "Priority": 1,
                "FixedRate": 0.5,
                "ReservoirSize": 1,
                "ServiceName": "*",
                "ServiceType": "*",
                "Host": "*",
                "HTTPMethod": "*",
                "URLPath": "*",
                "Version": 1,
            }
        )
        arn = xray("create-sampling-rule", "--sampling-rule", rule)["SamplingRuleRecord"]["SamplingRule"]["RuleARN"]
        names = [record["SamplingRule"]["RuleName"] for record in xray("get-sampling-rules")["SamplingRuleRecords"]]
        self.assertEqual(names, ["items", "Default"])
        xray("update-sampling-rule", "--sampling-rule-update", '{"RuleName": "items", "FixedRate": 0.1}')
        statistics = f"RuleName=items,ClientID={'a' * 24},Timestamp={int(now)},RequestCount=5,SampledCount=1,BorrowCount=0"
        targets = xray("get-sampling-targets", "--sampling-statistics-documents", statistics)
        self.assertEqual(targets["SamplingTargetDocuments"][0]["FixedRate"], 0.1)
        windows = xray("get-sampling-statistic-summaries")["SamplingStatisticSummaries"]
        self.assertEqual(windows[0]["RequestCount"], 5)
        xray("tag-resource", "--resource-arn", arn, "--tags", "Key=team,Value=web")
        self.assertEqual(xray("list-tags-for-resource", "--resource-arn", arn)["Tags"], [{"Key": "team", "Value": "web"}])
        xray("untag-resource", "--resource-arn", arn, "--tag-keys", "team")
        xray("delete-sampling-rule", "--rule-name", "items")

        xray("create-group", "--group-name", "faults", "--filter-expression", "fault")
        self.assertEqual(xray("get-group", "--group-name", "faults")["Group"]["FilterExpression"], "fault")
        xray("update-group", "--group-name", "faults", "--filter-expression", "error")
        self.assertEqual([group["GroupName"] for group in xray("get-groups")["Groups"]], ["faults"])
        xray("delete-group", "--group-name", "faults")

        self.assertEqual(xray("get-encryption-config")["EncryptionConfig"]["Type"], "NONE")
        xray("put-encryption-config", "--type", "NONE")
        policy = json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": {
                    "Effect": "Allow",
                    "Principal": {"Service": "sns.amazonaws.com"},
                    "Action": "xray:PutTraceSegments",
                    "Resource": "*",
                },
            }
        )
        xray("put-resource-policy", "--policy-name", "sns", "--policy-document", policy)
        self.assertEqual([one["PolicyName"] for one in xray("list-resource-policies")["ResourcePolicies"]], ["sns"])
        xray("delete-resource-policy", "--policy-name", "sns")

        token = xray("start-trace-retrieval", "--trace-ids", trace, *span)["RetrievalToken"]
        self.assertEqual(xray("list-retrieved-traces", "--retrieval-token", token)["Traces"][0]["Id"], trace)
        self.assertTrue(xray("get-retrieved-traces-graph", "--retrieval-token", token)["Services"])
        xray("cancel-trace-retrieval", "--retrieval-token", token)
        self.assertEqual(xray("get-trace-segment-destination")["Destination"], "XRay")
        xray("update-trace-segment-destination", "--destination", "XRay")
        self.assertEqual(xray("get-indexing-rules")["IndexingRules"][0]["Name"], "Default")
        xray("update-indexing-rule", "--name", "Default", "--rule", "Probabilistic={DesiredSamplingPercentage=5}")
        self.assertEqual(xray("get-insight-summaries", *span)["InsightSummaries"], [])
        xray("get-insight", "--insight-id", INSIGHT, fails=NONE)
        xray("get-insight-events", "--insight-id", INSIGHT, fails=NONE)
        xray("get-insight-impact-graph", "--insight-id", INSIGHT, *span, fails=NONE)

        model = botocore.session.get_session().get_service_model("xray")
        self.assertEqual(called, {botocore.xform_name(name, "-") for name in model.operation_names})

    def test_who_one_is_and_whom_one_may_become(self):
        identity = self.aws("sts", "get-caller-identity")
        self.assertEqual(identity["Arn"], "arn:aws:iam::123456789012:user/admin")
        trust = {
            "Version": "2012-10-17",
            "Statement": {
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::123456789012:user/admin"},
                "Action": "sts:AssumeRole",
            },
        }
        role = self.server.identity("reader", "AWSXrayReadOnlyAccess", trust=trust)["arn"]
        arguments = ("--role-arn", role, "--role-session-name", "me")
        credentials = self.aws("sts", "assume-role", *arguments)["Credentials"]
        session = {
            "access_key_id": credentials["AccessKeyId"],
            "secret_access_key": credentials["SecretAccessKey"],
            "session_token": credentials["SessionToken"],
        }
        arn = self.aws("sts", "get-caller-identity", keys=session)["Arn"]
        self.assertEqual(arn, "arn:aws:sts::123456789012:assumed-role/reader/me")
        self.aws("xray", "get-groups", keys=session)
        self.aws("xray", "delete-group", "--group-name", "x", keys=session, fails="AccessDeniedException")
        other = self.server.identity("other", "AWSXrayFullAccess")
        self.aws("sts", "assume-role", *arguments, keys=other, fails="AccessDenied")
        self.assertTrue(self.aws("sts", "get-session-token", keys=other)["Credentials"]["SessionToken"])

    def test_a_command_runs_with_a_users_rights(self):
        self.server.identity("runner", "AWSXrayReadOnlyAccess")
        script = """
import boto3
from botocore.exceptions import ClientError
xray = boto3.client("xray")
xray.get_groups()
try:
    xray.create_group(GroupName="x")
except ClientError as error:
    print(error.response["Error"]["Message"])
"""

        def run(*arguments):
            line = [PROGRAM, "run", *arguments, "--data", self.server.data, "--", sys.executable, "-c", script]
            return subprocess.run(line, capture_output=True, text=True, timeout=300)

        done = run("--identity", "runner")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("user/runner is not authorized to perform: xray:CreateGroup", done.stdout)
        self.assertIn("denied: User: arn:aws:iam::123456789012:user/runner", done.stderr)
        unknown = run("--identity", "unknown")
        self.assertEqual((unknown.returncode, unknown.stdout), (1, ""))
        self.assertIn("no user unknown with a key", unknown.stderr)

    def test_policies_are_tried_without_a_server(self):
        def test(*arguments):
            done = subprocess.run([PROGRAM, "policy", "test", *arguments], capture_output=True, text=True)
            return done.returncode, done.stdout, done.stderr

        status, output, _ = test("--policy", "AWSXRayDaemonWriteAccess", "--action", "xray:PutTraceSegments")
        self.assertEqual(status, 0)
        self.assertTrue(output.startswith("allow  xray:PutTraceSegments  AWSXRayDaemonWriteAccess, statement 1"))
        self.assertEqual(test("--policy", "AWSXRayDaemonWriteAccess", "--action", "xray:GetGroup")[0], 1)
        wrong = self.server.file("wrong.json", {"Version": "2012-10-17", "Statement": {"Effect": "allow"}})
        status, _, error = test("--policy", wrong, "--action", "xray:GetGroup")
        self.assertEqual(status, 2)
        self.assertIn("statement 1: Effect is \"allow\", but must be Allow or Deny", error)


if __name__ == "__main__":
    unittest.main()
