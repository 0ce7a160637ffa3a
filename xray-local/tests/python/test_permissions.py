"""The permissions page, with real signed requests against a server that enforces.

What each managed policy allows is written down here a second time, by hand: as the page of today and that of 2016 say.
"""

import json
import os
import time
import unittest

import botocore.session
from botocore.exceptions import ClientError

from harness import REPOSITORY, ServerTest, post, segment, trace_id, until

SEND = {"PutTraceSegments", "PutTelemetryRecords"}
ASK = {"GetSamplingRules", "GetSamplingTargets", "GetSamplingStatisticSummaries"}
READ_2016 = {"BatchGetTraces", "GetServiceGraph", "GetTraceGraph", "GetTraceSummaries"}
READ = (
    READ_2016
    | ASK
    | {"GetGroups", "GetGroup", "ListTagsForResource", "ListResourcePolicies", "GetTimeSeriesServiceStatistics"}
    | {"GetInsightSummaries", "GetInsight", "GetInsightEvents", "GetInsightImpactGraph"}
)
EVERYTHING = set(botocore.session.get_session().get_service_model("xray").operation_names)

MANAGED = {
    "AWSXRayDaemonWriteAccess": SEND | ASK,
    "AWSXrayWriteOnlyAccess": SEND | ASK,
    "AWSXrayReadOnlyAccess": READ,
    "AWSXrayFullAccess": EVERYTHING,
    "AWSXrayWriteOnlyAccess@2016": SEND,
    "AWSXrayReadOnlyAccess@2016": READ_2016,
    "AWSXrayFullAccess@2016": EVERYTHING,
}

# The files that docs/permissions.md gives to each place.
PLACES = {
    "daemon": SEND | {"GetSamplingRules", "GetSamplingTargets"},
    "daemon-local-sampling": SEND,
    "lambda": SEND,
    "read-traces": READ_2016 | {"GetGroups", "GetTimeSeriesServiceStatistics"},
    "assume-daemon-role": set(),
}

INSIGHT = "12345678-1234-1234-8234-123456789012"
NOW = time.time()
RANGE = {"StartTime": NOW - 60, "EndTime": NOW}
GROUP = {"GroupName": "none"}
ARN = {"ResourceARN": "arn:aws:xray:us-east-1:123456789012:group/none/X"}
RULE = {
    "RuleName": "none",
    "ResourceARN": "*",
    "Priority": 1,
    "FixedRate": 0.0,
    "ReservoirSize": 0,
    "ServiceName": "*",
    "ServiceType": "*",
    "Host": "*",
    "HTTPMethod": "*",
    "URLPath": "*",
    "Version": 2,
}

# Arguments with which an operation passes botocore's own checks; what it answers beyond the permission does not matter.
ARGUMENTS = {
    "BatchGetTraces": {"TraceIds": ["1-5759e988-bd862e3fe1be46a994272793"]},
    "CancelTraceRetrieval": {"RetrievalToken": "none"},
    "CreateGroup": {"GroupName": "x", "FilterExpression": "("},
    "CreateSamplingRule": {"SamplingRule": RULE},
    "DeleteGroup": GROUP,
    "DeleteResourcePolicy": {"PolicyName": "none"},
    "DeleteSamplingRule": {"RuleName": "none"},
    "GetGroup": GROUP,
    "GetInsight": {"InsightId": INSIGHT},
    "GetInsightEvents": {"InsightId": INSIGHT},
    "GetInsightImpactGraph": {"InsightId": INSIGHT, **RANGE},
    "GetInsightSummaries": RANGE,
    "GetRetrievedTracesGraph": {"RetrievalToken": "none"},
    "GetSamplingTargets": {"SamplingStatisticsDocuments": []},
    "GetServiceGraph": RANGE,
    "GetTimeSeriesServiceStatistics": RANGE,
    "GetTraceGraph": {"TraceIds": ["1-5759e988-bd862e3fe1be46a994272793"]},
    "GetTraceSummaries": RANGE,
    "ListRetrievedTraces": {"RetrievalToken": "none"},
    "ListTagsForResource": ARN,
    "PutEncryptionConfig": {"Type": "NONE"},
    "PutResourcePolicy": {"PolicyName": "x", "PolicyDocument": "{}"},
    "PutTelemetryRecords": {"TelemetryRecords": []},
    "PutTraceSegments": {"TraceSegmentDocuments": ["{}"]},
    "StartTraceRetrieval": {"TraceIds": [], **RANGE},
    "TagResource": {**ARN, "Tags": []},
    "UntagResource": {**ARN, "TagKeys": []},
    "UpdateGroup": GROUP,
    "UpdateIndexingRule": {"Name": "none", "Rule": {"Probabilistic": {"DesiredSamplingPercentage": 1.0}}},
    "UpdateSamplingRule": {"SamplingRuleUpdate": {"RuleName": "none"}},
}


def call(client, operation):
    """The error's code and message, or two empty strings."""
    name = botocore.xform_name(operation)
    try:
        getattr(client, name)(**ARGUMENTS.get(operation, {}))
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["Error"]["Message"]
    return "", ""


class PermissionsTest(ServerTest):
    FLAGS = ("--access", "enforce")

    def assert_allowed(self, keys, arn, allowed):
        client = self.server.client(keys)
        for operation in sorted(EVERYTHING):
            code, message = call(client, operation)
            if operation in allowed:
                self.assertNotEqual(code, "AccessDeniedException", f"{arn} {operation}: {message}")
                self.assertNotIn("Signature", code)
            else:
                self.assertEqual(code, "AccessDeniedException", f"{arn} {operation}")
                start = f"User: {arn} is not authorized to perform: xray:{operation}"
                self.assertTrue(message.startswith(start), message)

    def test_each_managed_policy_allows_what_its_page_says(self):
        for index, (policy, allowed) in enumerate(MANAGED.items()):
            with self.subTest(policy):
                keys = self.server.identity(f"managed{index}", policy)
                self.assert_allowed(keys, keys["arn"], allowed)

    def test_each_places_policy_allows_what_the_guide_says(self):
        for place, allowed in PLACES.items():
            with self.subTest(place):
                path = os.path.join(REPOSITORY, "docs", "policies", f"{place}.json")
                keys = self.server.identity(f"place-{place}", path)
                self.assert_allowed(keys, keys["arn"], allowed)

    def test_an_identity_without_policies_may_nothing(self):
        keys = self.server.identity("nobody")
        self.assert_allowed(keys, keys["arn"], set())

    def test_a_denial_prevails_and_is_named(self):
        policy = {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": "xray:*", "Resource": "*"},
                {"Sid": "NoDeletion", "Effect": "Deny", "Action": "XRAY:delete*", "Resource": "*"},
            ],
        }
        keys = self.server.identity("careful", policy)
        self.assert_allowed(keys, keys["arn"], {name for name in EVERYTHING if not name.startswith("Delete")})
        _, message = call(self.server.client(keys), "DeleteGroup")
        self.assertTrue(message.endswith("with an explicit deny in an identity-based policy"), message)

    def test_a_boundary_limits_what_policies_allow(self):
        keys = self.server.identity("bounded", "AWSXrayFullAccess", boundary="AWSXrayReadOnlyAccess")
        self.assert_allowed(keys, keys["arn"], READ)
        _, message = call(self.server.client(keys), "PutTraceSegments")
        self.assertTrue(message.endswith("because no permissions boundary allows the xray:PutTraceSegments action"))

    def test_a_statement_for_tls_does_not_hold_over_http(self):
        def policy(value):
            condition = {"Bool": {"aws:SecureTransport": value}}
            statement = {"Effect": "Allow", "Action": "xray:*", "Resource": "*", "Condition": condition}
            return {"Version": "2012-10-17", "Statement": statement}

        keys = self.server.identity("tls", policy("true"))
        self.assertEqual(call(self.server.client(keys), "GetGroups")[0], "AccessDeniedException")
        keys = self.server.identity("plain", policy("false"))
        self.assertEqual(call(self.server.client(keys), "GetGroups")[0], "")

    def test_resources_and_tags_are_what_policies_name(self):
        policy = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": ["xray:*SamplingRule", "xray:TagResource"],
                    "Resource": "arn:aws:xray:*:*:sampling-rule/${aws:username}-*",
                },
                {
                    "Effect": "Allow",
                    "Action": "xray:CreateGroup",
                    "Resource": "*",
                    "Condition": {
                        "StringEquals": {"aws:RequestTag/team": "web"},
                        "ForAllValues:StringEquals": {"aws:TagKeys": ["team", "stage"]},
                    },
                },
                {
                    "Effect": "Allow",
                    "Action": "xray:DeleteGroup",
                    "Resource": "arn:aws:xray:*:*:group/*",
                    "Condition": {"StringEquals": {"aws:ResourceTag/team": "web"}},
                },
            ],
        }
        client = self.server.client(self.server.identity("web", policy))
        rule = {**RULE, "Version": 1}
        client.create_sampling_rule(SamplingRule={**rule, "RuleName": "web-items"})
        with self.assertRaises(ClientError) as caught:
            client.create_sampling_rule(SamplingRule={**rule, "RuleName": "shop-items"})
        message = caught.exception.response["Error"]["Message"]
        self.assertIn("on resource: arn:aws:xray:us-east-1:123456789012:sampling-rule/shop-items", message)
        tags = [{"Key": "team", "Value": "web"}]
        client.create_group(GroupName="mine", Tags=tags)
        for wrong in ([], [{"Key": "team", "Value": "shop"}], tags + [{"Key": "other", "Value": "x"}]):
            with self.assertRaises(ClientError) as caught:
                client.create_group(GroupName="theirs", Tags=wrong)
            self.assertEqual(caught.exception.response["Error"]["Code"], "AccessDeniedException")
        admin = self.server.client(self.server.identity("admin", "AWSXrayFullAccess"))
        admin.create_group(GroupName="untagged")
        client.delete_group(GroupName="mine")
        with self.assertRaises(ClientError) as caught:
            client.delete_group(GroupName="untagged")
        self.assertEqual(caught.exception.response["Error"]["Code"], "AccessDeniedException")

    def test_the_daemons_door_has_the_daemons_policy(self):
        self.assertEqual(post(self.server.daemon + "/GetSamplingRules")[0], 200)
        status, headers, body = post(self.server.daemon + "/TraceSummaries", b'{"StartTime": 0, "EndTime": 1}')
        self.assertEqual((status, headers["x-amzn-errortype"]), (403, "AccessDeniedException"))
        self.assertIn("user/daemon is not authorized to perform: xray:GetTraceSummaries", json.loads(body)["Message"])

    def test_a_user_that_is_removed_is_unknown_at_once(self):
        keys = self.server.identity("short", "AWSXrayFullAccess")
        client = self.server.client(keys)
        self.assertEqual(call(client, "GetGroups")[0], "")
        self.server.command("identity", "remove", "short")
        self.assertEqual(call(client, "GetGroups")[0], "UnrecognizedClientException")


class DaemonPolicyTest(ServerTest):
    FLAGS = ("--access", "enforce")

    def test_a_daemon_without_permission_is_refused_at_every_way_in(self):
        path = os.path.join(REPOSITORY, "docs", "policies", "read-traces.json")
        self.server.identity("daemon", path)
        reader = self.server.client(self.server.identity("reader", "AWSXrayReadOnlyAccess"))
        status, _, body = post(self.server.daemon + "/GetSamplingRules")
        self.assertEqual(status, 403, body)
        denied = trace_id()
        # Until the listener has looked at the new policy, a document may still be let in.
        until(lambda: not self.arrives(reader, trace_id()), patience=30)
        self.assertFalse(self.arrives(reader, denied))
        self.server.identity("daemon", "AWSXRayDaemonWriteAccess")
        until(lambda: self.arrives(reader, trace_id()), patience=30)

    def arrives(self, reader, trace):
        self.server.send(segment(trace, "shop"))
        for _ in range(20):
            if reader.batch_get_traces(TraceIds=[trace])["Traces"]:
                return True
            time.sleep(0.05)
        return False


class WarnTest(ServerTest):
    def test_warn_answers_everyone(self):
        keys = self.server.identity("nobody")
        self.assertEqual(call(self.server.client(keys), "GetGroups")[0], "")
        self.assertEqual(call(self.server.client(), "GetGroups")[0], "")
        self.assertEqual(post(self.server.endpoint + "/Groups")[0], 200)


class OffTest(ServerTest):
    FLAGS = ("--access", "off")

    def test_off_asks_nobody_who_calls(self):
        self.assertEqual(post(self.server.endpoint + "/Groups")[0], 200)


if __name__ == "__main__":
    unittest.main()
