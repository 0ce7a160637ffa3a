"""Every operation and every paginator, through boto3. botocore's own model reads the answers."""

import contextlib
import datetime
import http.client
import json
import os
import sqlite3
import time
import unittest

import botocore.session
from botocore.exceptions import ClientError

import model_facts
from harness import ServerTest, post, segment, trace_id, until

RULE = {
    "ResourceARN": "*",
    "Priority": 100,
    "FixedRate": 0.25,
    "ReservoirSize": 10,
    "ServiceName": "*",
    "ServiceType": "*",
    "Host": "*",
    "HTTPMethod": "GET",
    "URLPath": "/items/*",
    "Version": 1,
}


def rule(name, **members):
    return {"RuleName": name, **RULE, **members}


class ModelTest(unittest.TestCase):
    def test_the_file_of_facts_is_that_of_the_installed_model(self):
        path = os.path.join(os.path.dirname(__file__), "..", "it", "model.txt")
        with open(path, encoding="utf-8") as file:
            self.assertEqual(file.read().splitlines(), list(model_facts.lines()))


class OperationsTest(ServerTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.called = set()
        cls.xray = cls.server.client()
        cls.xray.meta.events.register(
            "before-call.xray", lambda model, **_: cls.called.add(model.name)
        )
        cls.start = time.time() - 120
        cls.trace, cls.other = trace_id(), trace_id()
        root = segment(
            cls.trace,
            "shop",
            http={"request": {"method": "GET", "url": "http://shop/items"}, "response": {"status": 500}},
            fault=True,
            user="alice",
            annotations={"cart": "c1", "items": 3, "new": True},
        )
        call = {
            "id": "53995c3f42cd8ad8",
            "name": "DynamoDB",
            "namespace": "aws",
            "start_time": root["start_time"] + 0.1,
            "end_time": root["end_time"] - 0.1,
            "aws": {"operation": "GetItem", "table_name": "carts"},
        }
        root["subsegments"] = [call]
        answer = cls.xray.put_trace_segments(
            TraceSegmentDocuments=[
                json.dumps(root),
                json.dumps(segment(cls.other, "orders")),
                "[]",
                json.dumps({"id": "0123456789abcdef", "name": "x"}),
            ]
        )
        cls.unprocessed = answer["UnprocessedTraceSegments"]
        cls.end = time.time() + 60

    @classmethod
    def tearDownClass(cls):
        everything = set(botocore.session.get_session().get_service_model("xray").operation_names)
        super().tearDownClass()
        if cls.complete:
            assert cls.called == everything, everything - cls.called

    complete = False

    def error(self, code, call, **arguments):
        with self.assertRaises(ClientError) as caught:
            call(**arguments)
        self.assertEqual(caught.exception.response["Error"]["Code"], code, caught.exception)
        return caught.exception.response["Error"]["Message"]

    def range(self):
        return {"StartTime": self.start, "EndTime": self.end}

    def test_put_trace_segments(self):
        codes = [entry["ErrorCode"] for entry in self.unprocessed]
        self.assertEqual(codes, ["MissingId", "MissingTraceId"])
        self.assertNotIn("Id", self.unprocessed[0])
        self.assertEqual(self.unprocessed[1]["Id"], "0123456789abcdef")
        message = self.error(
            "InvalidRequestException", self.xray.put_trace_segments, TraceSegmentDocuments=["{}"] * 51
        )
        self.assertEqual(message, "Exceeding maximum segment count: 50")

    def test_put_telemetry_records(self):
        self.xray.put_telemetry_records(
            TelemetryRecords=[
                {
                    "Timestamp": time.time(),
                    "SegmentsReceivedCount": 5,
                    "SegmentsSentCount": 5,
                    "BackendConnectionErrors": {"TimeoutCount": 1},
                }
            ],
            Hostname="laptop",
        )
        with contextlib.closing(sqlite3.connect(self.server.data, timeout=30)) as file:
            kept = file.execute("SELECT record FROM telemetry WHERE sender = 'laptop'").fetchall()
        self.assertEqual([json.loads(record)["SegmentsSentCount"] for (record,) in kept], [5])

    def test_batch_get_traces(self):
        answer = self.xray.batch_get_traces(TraceIds=[self.trace, trace_id()])
        self.assertEqual([trace["Id"] for trace in answer["Traces"]], [self.trace])
        self.assertEqual(len(answer["UnprocessedTraceIds"]), 1)
        documents = [json.loads(part["Document"]) for part in answer["Traces"][0]["Segments"]]
        self.assertEqual(documents[0]["name"], "shop")
        self.assertEqual([d["origin"] for d in documents if d.get("inferred")], ["AWS::DynamoDB::Table"])
        pages = list(self.xray.get_paginator("batch_get_traces").paginate(TraceIds=[self.other]))
        self.assertEqual(len(pages), 1)
        self.assertEqual(
            self.error("InvalidRequestException", self.xray.batch_get_traces, TraceIds=[self.trace] * 6),
            "Exceeding maximum query size: 5",
        )
        self.error("InvalidRequestException", self.xray.batch_get_traces, TraceIds=["nonsense"])

    def test_get_trace_summaries(self):
        summaries = self.summaries()
        summary = next(one for one in summaries if one["Id"] == self.trace)
        self.assertTrue(summary["HasFault"])
        self.assertEqual(summary["Http"]["HttpStatus"], 500)
        self.assertEqual(summary["Annotations"]["items"][0]["AnnotationValue"], {"NumberValue": 3.0})
        self.assertEqual(summary["Users"][0]["UserName"], "alice")
        self.assertEqual(summary["EntryPoint"]["Name"], "shop")
        self.assertEqual(summary["Revision"], 1)
        found = self.summaries(FilterExpression='annotation.cart = "c1" AND fault')
        self.assertEqual([one["Id"] for one in found], [self.trace])
        for kind in ("Event", "Service", "TraceId"):
            self.assertIn(self.trace, [one["Id"] for one in self.summaries(TimeRangeType=kind)])
        sampled = {"Sampling": True, "SamplingStrategy": {"Name": "FixedRate", "Value": 0.0}}
        self.assertEqual(self.summaries(**sampled), [])
        for wrong in (
            {"FilterExpression": "nonsense ="},
            {"StartTime": self.end, "EndTime": self.start},
            {"StartTime": self.start - 25 * 3600},
            {"NextToken": "nonsense"},
        ):
            self.error("InvalidRequestException", self.xray.get_trace_summaries, **{**self.range(), **wrong})

    def summaries(self, **arguments):
        paginator = self.xray.get_paginator("get_trace_summaries")
        pages = paginator.paginate(**self.range(), **arguments)
        return [summary for page in pages for summary in page["TraceSummaries"]]

    def test_pages_of_summaries_belong_to_their_request(self):
        traces = [trace_id() for _ in range(250)]
        for index in range(0, 250, 50):
            documents = [json.dumps(segment(trace, "many")) for trace in traces[index : index + 50]]
            self.xray.put_trace_segments(TraceSegmentDocuments=documents)
        self.end = time.time() + 60
        found = self.summaries(FilterExpression='service("many")')
        self.assertEqual(sorted(one["Id"] for one in found), sorted(traces))
        request = {**self.range(), "FilterExpression": 'service("many")'}
        token = self.xray.get_trace_summaries(**request)["NextToken"]
        request["FilterExpression"] = 'service("other")'
        self.error("InvalidRequestException", self.xray.get_trace_summaries, **request, NextToken=token)

    def test_graphs(self):
        for call, arguments in (("get_service_graph", self.range()), ("get_trace_graph", {"TraceIds": [self.trace]})):
            pages = self.xray.get_paginator(call).paginate(**arguments)
            services = [service for page in pages for service in page["Services"]]
            nodes = {(service["Name"], service.get("Type")): service for service in services}
            shop, client = nodes["shop", None], nodes["shop", "client"]
            self.assertTrue(shop["Root"])
            self.assertNotIn("SummaryStatistics", client)
            self.assertEqual(client["Edges"][0]["ReferenceId"], shop["ReferenceId"])
            table = nodes["carts", "AWS::DynamoDB::Table"]
            self.assertEqual(table["State"], "unknown")
            self.assertEqual(shop["Edges"][0]["ReferenceId"], table["ReferenceId"])
            self.assertEqual(shop["SummaryStatistics"]["FaultStatistics"]["TotalCount"], 1)
        message = self.error(
            "InvalidRequestException", self.xray.get_service_graph, StartTime=self.end - 6 * 3600 - 1, EndTime=self.end
        )
        self.assertEqual(message, "Time range cannot be longer than 6 hours")
        self.error("InvalidRequestException", self.xray.get_service_graph, **self.range(), GroupName="none")

    def test_time_series(self):
        paginator = self.xray.get_paginator("get_time_series_service_statistics")
        pages = paginator.paginate(**self.range(), Period=60)
        periods = [period for page in pages for period in page["TimeSeriesServiceStatistics"]]
        self.assertGreaterEqual(sum(period["EdgeSummaryStatistics"]["TotalCount"] for period in periods), 2)
        answer = self.xray.get_time_series_service_statistics(
            **self.range(), EntitySelectorExpression='service(id(name: "shop"))'
        )
        total = sum(
            period["ServiceSummaryStatistics"]["FaultStatistics"]["TotalCount"]
            for period in answer["TimeSeriesServiceStatistics"]
        )
        self.assertEqual(total, 1)
        for wrong in ({"Period": 7}, {"EntitySelectorExpression": "annotation.a = 1"}, {"ForecastStatistics": True}):
            self.error(
                "InvalidRequestException", self.xray.get_time_series_service_statistics, **self.range(), **wrong
            )

    def test_sampling_rules(self):
        made = self.xray.create_sampling_rule(SamplingRule=rule("items"), Tags=[{"Key": "team", "Value": "web"}])
        record = made["SamplingRuleRecord"]
        arn = record["SamplingRule"]["RuleARN"]
        self.assertEqual(arn, "arn:aws:xray:us-east-1:123456789012:sampling-rule/items")
        self.error("InvalidRequestException", self.xray.create_sampling_rule, SamplingRule=rule("items"))
        self.error("InvalidRequestException", self.xray.create_sampling_rule, SamplingRule=dict(RULE))
        pages = self.xray.get_paginator("get_sampling_rules").paginate()
        names = [record["SamplingRule"]["RuleName"] for page in pages for record in page["SamplingRuleRecords"]]
        self.assertEqual(names[-1], "Default")
        self.assertIn("items", names)
        changed = self.xray.update_sampling_rule(SamplingRuleUpdate={"RuleARN": arn, "FixedRate": 0.5})
        self.assertEqual(changed["SamplingRuleRecord"]["SamplingRule"]["FixedRate"], 0.5)
        self.assertEqual(changed["SamplingRuleRecord"]["SamplingRule"]["URLPath"], "/items/*")
        for wrong in ({"RuleName": "items", "FixedRate": 2.0}, {"RuleName": "items", "RuleARN": arn}, {"FixedRate": 0.1}):
            self.error("InvalidRequestException", self.xray.update_sampling_rule, SamplingRuleUpdate=wrong)
        deleted = self.xray.delete_sampling_rule(RuleName="items")
        self.assertEqual(deleted["SamplingRuleRecord"]["SamplingRule"]["RuleName"], "items")
        self.error("InvalidRequestException", self.xray.delete_sampling_rule, RuleName="items")

    def test_the_default_rule_stays(self):
        message = self.error(
            "InvalidRequestException",
            self.xray.update_sampling_rule,
            SamplingRuleUpdate={"RuleName": "Default", "Priority": 5},
        )
        self.assertEqual(message, "Invalid update request for default sampling rule")
        update = {"RuleName": "Default", "FixedRate": 0.9, "ReservoirSize": 3}
        record = self.xray.update_sampling_rule(SamplingRuleUpdate=update)["SamplingRuleRecord"]
        self.assertEqual((record["SamplingRule"]["FixedRate"], record["SamplingRule"]["ReservoirSize"]), (0.9, 3))
        self.error("InvalidRequestException", self.xray.delete_sampling_rule, RuleName="Default")

    def test_sampling_targets_and_statistics(self):
        self.xray.create_sampling_rule(SamplingRule=rule("targets"))
        now = datetime.datetime.now(datetime.timezone.utc)

        def report(client, rule_name="targets"):
            document = {
                "RuleName": rule_name,
                "ClientID": client * 24,
                "Timestamp": now,
                "RequestCount": 100,
                "SampledCount": 30,
                "BorrowCount": 10,
            }
            return self.xray.get_sampling_targets(SamplingStatisticsDocuments=[document])

        first = report("a")
        self.assertEqual(first["SamplingTargetDocuments"][0]["ReservoirQuota"], 10)
        self.assertEqual(first["SamplingTargetDocuments"][0]["Interval"], 10)
        self.assertEqual(report("b")["SamplingTargetDocuments"][0]["ReservoirQuota"], 0)
        self.assertEqual(report("a")["SamplingTargetDocuments"][0]["ReservoirQuota"], 5)
        self.assertEqual(report("b")["SamplingTargetDocuments"][0]["ReservoirQuota"], 5)
        # Asking is no change of rules.
        self.assertEqual(report("a")["LastRuleModification"], first["LastRuleModification"])
        unprocessed = report("a", "unknown")["UnprocessedStatistics"]
        self.assertEqual(unprocessed[0]["RuleName"], "unknown")
        pages = self.xray.get_paginator("get_sampling_statistic_summaries").paginate()
        windows = [window for page in pages for window in page["SamplingStatisticSummaries"]]
        counts = [window for window in windows if window["RuleName"] == "targets"]
        self.assertEqual(sum(window["RequestCount"] for window in counts), 500)
        self.assertEqual(sum(window["BorrowCount"] for window in counts), 50)
        self.assertEqual(sum(window["SampledCount"] for window in counts), 150)

    def test_a_boost_follows_anomalies(self):
        boost = {"MaxRate": 0.8, "CooldownWindowMinutes": 10}
        self.xray.create_sampling_rule(SamplingRule=rule("boosted", SamplingRateBoost=boost))
        now = datetime.datetime.now(datetime.timezone.utc)
        counts = {"RuleName": "boosted", "Timestamp": now}
        answer = self.xray.get_sampling_targets(
            SamplingStatisticsDocuments=[{**counts, "ClientID": "c" * 24, "RequestCount": 10, "SampledCount": 1}],
            SamplingBoostStatisticsDocuments=[
                {**counts, "ServiceName": "shop", "AnomalyCount": 5, "TotalCount": 10, "SampledAnomalyCount": 1}
            ],
        )
        target = answer["SamplingTargetDocuments"][0]
        self.assertEqual(target["SamplingBoost"]["BoostRate"], 0.5)
        self.assertGreater(target["SamplingBoost"]["BoostRateTTL"], now)

    def test_groups(self):
        made = self.xray.create_group(
            GroupName="faults",
            FilterExpression="fault = true",
            InsightsConfiguration={"InsightsEnabled": True},
            Tags=[{"Key": "team", "Value": "web"}],
        )["Group"]
        self.assertRegex(made["GroupARN"], r"^arn:aws:xray:us-east-1:123456789012:group/faults/[A-Z2-7]{52}$")
        self.assertEqual(made["InsightsConfiguration"], {"InsightsEnabled": True, "NotificationsEnabled": False})
        self.error("InvalidRequestException", self.xray.create_group, GroupName="faults")
        self.error("InvalidRequestException", self.xray.create_group, GroupName="x", FilterExpression="nonsense (")
        self.assertEqual(self.xray.get_group(GroupARN=made["GroupARN"])["Group"], made)
        pages = self.xray.get_paginator("get_groups").paginate()
        self.assertIn("faults", [group["GroupName"] for page in pages for group in page["Groups"]])
        changed = self.xray.update_group(GroupName="faults", FilterExpression="fault")["Group"]
        self.assertEqual(changed["FilterExpression"], "fault")
        self.assertTrue(changed["InsightsConfiguration"]["InsightsEnabled"])
        trace = trace_id()
        document = json.dumps(segment(trace, "grouped", fault=True))
        self.xray.put_trace_segments(TraceSegmentDocuments=[document, json.dumps(segment(trace_id(), "ungrouped"))])
        graph = self.xray.get_service_graph(StartTime=self.start, EndTime=time.time() + 60, GroupName="faults")
        names = {service["Name"] for service in graph["Services"]}
        self.assertIn("grouped", names)
        self.assertNotIn("ungrouped", names)
        self.xray.delete_group(GroupName="faults")
        self.error("InvalidRequestException", self.xray.get_group, GroupName="faults")

    def test_tags(self):
        arn = self.xray.create_group(GroupName="tagged")["Group"]["GroupARN"]
        self.xray.tag_resource(ResourceARN=arn, Tags=[{"Key": f"k{index:02}", "Value": "v"} for index in range(50)])
        pages = self.xray.get_paginator("list_tags_for_resource").paginate(ResourceARN=arn)
        self.assertEqual(len([tag for page in pages for tag in page["Tags"]]), 50)
        with self.assertRaises(ClientError) as caught:
            self.xray.tag_resource(ResourceARN=arn, Tags=[{"Key": "one more", "Value": "v"}])
        self.assertEqual(caught.exception.response["Error"]["Code"], "TooManyTagsException")
        self.assertEqual(caught.exception.response["ResourceName"], arn)
        self.xray.untag_resource(ResourceARN=arn, TagKeys=[f"k{index:02}" for index in range(49)])
        self.assertEqual(self.xray.list_tags_for_resource(ResourceARN=arn)["Tags"], [{"Key": "k49", "Value": "v"}])
        self.error("ResourceNotFoundException", self.xray.list_tags_for_resource, ResourceARN=arn + "X")
        self.error("InvalidRequestException", self.xray.tag_resource, ResourceARN=arn, Tags=[{"Key": "aws:x", "Value": ""}])

    def test_encryption_config(self):
        self.assertEqual(self.xray.get_encryption_config()["EncryptionConfig"], {"Status": "ACTIVE", "Type": "NONE"})
        self.xray.put_encryption_config(Type="KMS", KeyId="alias/aws/xray")
        config = self.xray.get_encryption_config()["EncryptionConfig"]
        self.assertEqual(config, {"KeyId": "alias/aws/xray", "Status": "ACTIVE", "Type": "KMS"})
        self.error("InvalidRequestException", self.xray.put_encryption_config, Type="KMS")
        self.xray.put_encryption_config(Type="NONE")

    def test_resource_policies(self):
        def document(action="xray:PutTraceSegments", effect="Allow", principal={"Service": "sns.amazonaws.com"}):
            statement = {"Effect": effect, "Principal": principal, "Action": action, "Resource": "*"}
            return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

        put = self.xray.put_resource_policy
        made = put(PolicyName="sns", PolicyDocument=document())["ResourcePolicy"]
        self.assertEqual(made["PolicyRevisionId"], "1")
        self.error("InvalidPolicyRevisionIdException", put, PolicyName="sns", PolicyDocument=document(), PolicyRevisionId="7")
        self.error("MalformedPolicyDocumentException", put, PolicyName="x", PolicyDocument="{}")
        self.error("PolicySizeLimitExceededException", put, PolicyName="x", PolicyDocument=document() + " " * 6000)
        for name in "abcd":
            put(PolicyName=name, PolicyDocument=document())
        self.error("PolicyCountLimitExceededException", put, PolicyName="e", PolicyDocument=document())
        pages = self.xray.get_paginator("list_resource_policies").paginate()
        names = [policy["PolicyName"] for page in pages for policy in page["ResourcePolicies"]]
        self.assertEqual(names, ["a", "b", "c", "d", "sns"])
        for name in names:
            self.xray.delete_resource_policy(PolicyName=name)
        self.error("InvalidRequestException", self.xray.delete_resource_policy, PolicyName="sns")

    def test_retrievals(self):
        traces = [trace_id() for _ in range(7)]
        documents = [json.dumps(segment(trace, "retrieved")) for trace in traces]
        self.xray.put_trace_segments(TraceSegmentDocuments=documents)
        token = self.xray.start_trace_retrieval(TraceIds=traces, **self.range())["RetrievalToken"]
        found, arguments = [], {"RetrievalToken": token}
        while True:
            page = self.xray.list_retrieved_traces(**arguments)
            self.assertEqual((page["RetrievalStatus"], page["TraceFormat"]), ("COMPLETE", "XRAY"))
            found += [trace["Id"] for trace in page["Traces"]]
            if "NextToken" not in page:
                break
            arguments["NextToken"] = page["NextToken"]
        self.assertEqual(found, traces)
        graph = self.xray.get_retrieved_traces_graph(RetrievalToken=token)
        names = {service["Service"]["Name"] for service in graph["Services"]}
        self.assertEqual(names, {"retrieved"})
        # A segment that links to another trace leads there from its service.
        consumer = trace_id()
        linked = segment(consumer, "consumer", links=[{"trace_id": traces[0], "id": "53995c3f42cd8ad8"}])
        self.xray.put_trace_segments(TraceSegmentDocuments=[json.dumps(linked)])
        both = self.xray.start_trace_retrieval(TraceIds=[traces[0], consumer], **self.range())["RetrievalToken"]
        graph = self.xray.get_retrieved_traces_graph(RetrievalToken=both)
        services = [service for service in graph["Services"] if service["Service"].get("Type") != "client"]
        links = {service["Service"]["Name"]: service["Links"] for service in services}
        expected = {"ReferenceType": "parent", "SourceTraceId": traces[0], "DestinationTraceIds": [consumer]}
        self.assertEqual((links["retrieved"], links["consumer"]), ([], [expected]))
        self.xray.cancel_trace_retrieval(RetrievalToken=token)
        self.assertEqual(self.xray.list_retrieved_traces(RetrievalToken=token)["RetrievalStatus"], "CANCELLED")
        self.error("ResourceNotFoundException", self.xray.cancel_trace_retrieval, RetrievalToken="nonsense")

    def test_destination_and_indexing(self):
        xray = self.xray
        self.assertEqual(xray.get_trace_segment_destination()["Destination"], "XRay")
        self.assertEqual(xray.update_trace_segment_destination(Destination="XRay")["Status"], "ACTIVE")
        self.error("InvalidRequestException", xray.update_trace_segment_destination, Destination="CloudWatchLogs")
        self.assertEqual([rule["Name"] for rule in xray.get_indexing_rules()["IndexingRules"]], ["Default"])
        wish = {"Probabilistic": {"DesiredSamplingPercentage": 7.0}}
        rule_of = xray.update_indexing_rule(Name="Default", Rule=wish)["IndexingRule"]["Rule"]
        self.assertEqual(rule_of["Probabilistic"]["DesiredSamplingPercentage"], 7.0)
        self.error("ResourceNotFoundException", xray.update_indexing_rule, Name="Other", Rule=wish)

    def test_insights_are_none(self):
        xray, insight = self.xray, "12345678-1234-1234-8234-123456789012"
        self.assertEqual(xray.get_insight_summaries(**self.range())["InsightSummaries"], [])
        self.error("InvalidRequestException", xray.get_insight, InsightId=insight)
        self.error("InvalidRequestException", xray.get_insight_events, InsightId=insight)
        self.error("InvalidRequestException", xray.get_insight_impact_graph, InsightId=insight, **self.range())

    def test_zz_everything_was_called(self):
        """Runs last: the class checks at its end that no operation is left."""
        type(self).complete = True


class LimitsTest(ServerTest):
    def test_25_rules_and_groups_are_the_most(self):
        xray = self.server.client()
        for index in range(25):
            xray.create_sampling_rule(SamplingRule=rule(f"rule{index}"))
            xray.create_group(GroupName=f"group{index}")
        with self.assertRaises(ClientError) as caught:
            xray.create_sampling_rule(SamplingRule=rule("one more"))
        self.assertEqual(caught.exception.response["Error"]["Code"], "RuleLimitExceededException")
        with self.assertRaises(ClientError) as caught:
            xray.create_group(GroupName="one more")
        self.assertEqual(caught.exception.response["Error"]["Code"], "InvalidRequestException")
        # The official SDKs read only the first page of the rules.
        self.assertEqual(len(xray.get_sampling_rules()["SamplingRuleRecords"]), 26)


class NoLimitsTest(ServerTest):
    FLAGS = ("--limits", "off")

    def test_limits_off_lifts_them_and_lists_go_over_pages(self):
        xray = self.server.client()
        for index in range(60):
            xray.create_sampling_rule(SamplingRule=rule(f"rule{index:02}"))
            xray.create_group(GroupName=f"group{index:02}")
            document = json.dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": {"Effect": "Allow", "Principal": "*", "Action": "xray:*", "Resource": "*"},
                }
            )
            xray.put_resource_policy(PolicyName=f"policy{index:02}", PolicyDocument=document)
        for paginator, member, key, expected in (
            ("get_sampling_rules", "SamplingRuleRecords", lambda one: one["SamplingRule"]["RuleName"], 61),
            ("get_groups", "Groups", lambda one: one["GroupName"], 60),
            ("list_resource_policies", "ResourcePolicies", lambda one: one["PolicyName"], 60),
        ):
            pages = list(xray.get_paginator(paginator).paginate())
            names = [key(one) for page in pages for one in page[member]]
            self.assertEqual((len(pages), len(names), len(set(names))), (2, expected, expected), paginator)
        documents = [json.dumps(segment(trace_id(), "many")) for _ in range(120)]
        self.assertEqual(xray.put_trace_segments(TraceSegmentDocuments=documents)["UnprocessedTraceSegments"], [])
        now = time.time()
        xray.get_service_graph(StartTime=now - 7 * 3600, EndTime=now)


class WireTest(ServerTest):
    def test_errors_are_named_in_the_header_and_the_body(self):
        for path, body, status, code in (
            ("/Traces", b"{", 400, "SerializationException"),
            ("/Traces", b"[]", 400, "SerializationException"),
            ("/Traces", b'{"TraceIds": "x"}', 400, "SerializationException"),
            ("/Traces", b"{}", 400, "InvalidRequestException"),
            ("/Traces", b'{"TraceIds": [""]}', 400, "InvalidRequestException"),
            ("/GetGroup", b'{"GroupName": null}', 400, "InvalidRequestException"),
            ("/Nothing", b"{}", 404, "UnknownOperationException"),
            ("/traces", b"{}", 404, "UnknownOperationException"),
        ):
            found, headers, answer = post(self.server.endpoint + path, body)
            self.assertEqual((found, headers["x-amzn-errortype"]), (status, code), path)
            self.assertEqual(json.loads(answer)["__type"], code)
            self.assertTrue(json.loads(answer)["Message"])
        status, headers, _ = post(self.server.endpoint + "/Traces", None, method="GET")
        self.assertEqual((status, headers["x-amzn-errortype"]), (404, "UnknownOperationException"))

    def test_an_absent_body_is_an_empty_one(self):
        status, headers, answer = post(self.server.endpoint + "/EncryptionConfig", b"")
        self.assertEqual((status, headers["content-type"]), (200, "application/json"))
        self.assertEqual(json.loads(answer)["EncryptionConfig"]["Type"], "NONE")
        self.assertRegex(headers["x-amzn-requestid"], r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")

    def test_large_bodies_are_refused(self):
        # Refused by the stated length: the server does not wait for what it will not take.
        connection = http.client.HTTPConnection(self.server.addresses["api"])
        connection.putrequest("POST", "/TraceSegments")
        connection.putheader("Content-Length", str(7 * 1024 * 1024))
        connection.endheaders()
        answer = connection.getresponse()
        self.assertEqual((answer.status, answer.headers["x-amzn-errortype"]), (413, "RequestEntityTooLargeException"))
        connection.close()

    def test_documents_arrive_by_udp_and_at_both_tcp_doors(self):
        traces = [trace_id() for _ in range(3)]
        documents = [segment(trace, f"door{index}") for index, trace in enumerate(traces)]
        self.server.send(documents[0])
        xray = self.server.client()
        xray.put_trace_segments(TraceSegmentDocuments=[json.dumps(documents[1])])
        body = json.dumps({"TraceSegmentDocuments": [json.dumps(documents[2])]}).encode()
        self.assertEqual(post(self.server.daemon + "/TraceSegments", body)[0], 200)
        found = until(lambda: len(xray.batch_get_traces(TraceIds=traces)["Traces"]) == 3)
        self.assertTrue(found)


if __name__ == "__main__":
    unittest.main()
