"""Signatures: what is wrong with one is answered as AWS answers it, and no changed request is accepted."""

import contextlib
import datetime
import http.client
import json
import random
import re
import socket
import sqlite3
import time
import unittest
from unittest import mock

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from harness import REGION, ServerTest, post

FLIPS = 2_000


@contextlib.contextmanager
def clock(seconds):
    """Moves the clock by which botocore signs."""
    offset = datetime.timedelta(seconds=seconds)

    def now(*_, **__):
        return datetime.datetime.now(datetime.timezone.utc) + offset

    with mock.patch.object(botocore.auth, "get_current_datetime", now):
        yield


class SignaturesTest(ServerTest):
    FLAGS = ("--access", "enforce")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.keys = cls.server.identity("app", "AWSXrayFullAccess")

    def error(self, keys, service="xray", call="get_groups", **arguments):
        with self.assertRaises(ClientError) as caught:
            getattr(self.server.client(keys, service), call)(**arguments)
        response = caught.exception.response
        self.assertEqual(response["ResponseMetadata"]["HTTPStatusCode"], 403)
        return response["Error"]["Code"], response["Error"]["Message"]

    def test_the_right_keys_are_accepted(self):
        self.server.client(self.keys).get_groups()

    def test_an_unknown_key(self):
        self.assertEqual(
            self.error({**self.keys, "access_key_id": "AKIAUNKNOWN"}),
            ("UnrecognizedClientException", "The security token included in the request is invalid."),
        )

    def test_a_wrong_secret(self):
        self.assertEqual(
            self.error({**self.keys, "secret_access_key": "wrong"}),
            (
                "InvalidSignatureException",
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
                "Access Key and signing method. Consult the service documentation for details.",
            ),
        )

    def test_a_token_that_is_none(self):
        self.assertEqual(self.error({**self.keys, "session_token": "x"})[0], "UnrecognizedClientException")

    def test_an_expired_session(self):
        sts = self.server.client(self.keys, "sts")
        session = sts.get_session_token(DurationSeconds=900)["Credentials"]
        keys = {
            "access_key_id": session["AccessKeyId"],
            "secret_access_key": session["SecretAccessKey"],
            "session_token": session["SessionToken"],
        }
        self.server.client(keys).get_groups()
        # Its end is brought forward in the file, as if fifteen minutes had passed.
        with contextlib.closing(sqlite3.connect(self.server.data, timeout=30)) as file, file:
            file.execute("UPDATE access_keys SET expires_us = ? WHERE id = ?", (int(time.time() - 1) * 1_000_000, keys["access_key_id"]))
        self.assertEqual(
            self.error(keys), ("ExpiredTokenException", "The security token included in the request is expired")
        )
        self.assertEqual(self.error(keys, "sts", "get_caller_identity")[0], "ExpiredToken")

    def test_a_clock_that_is_wrong(self):
        for skew, word in ((-16 * 60, "Signature expired: "), (16 * 60, "Signature not yet current: ")):
            with clock(skew):
                code, message = self.error(self.keys)
            self.assertEqual(code, "InvalidSignatureException")
            self.assertRegex(message, rf"^{word}\d{{8}}T\d{{6}}Z is .* 15 min\.\)$")
        for skew in (-14 * 60, 14 * 60):
            with clock(skew):
                self.server.client(self.keys).get_groups()

    def test_another_region_or_service(self):
        for region, service, message in (
            ("eu-west-1", "xray", "Credential should be scoped to a valid region. "),
            (REGION, "s3", "Credential should be scoped to correct service: 'xray'. "),
        ):
            request = self.signed(region=region, service=service)
            status, headers, body = self.send(request)
            self.assertEqual((status, headers["x-amzn-errortype"]), (403, "InvalidSignatureException"))
            self.assertEqual(json.loads(body)["Message"], message)

    def test_unsigned_before_anything_else(self):
        for body in (b"{}", b"{", b'{"TraceIds": 5}'):
            status, headers, answer = post(self.server.endpoint + "/Traces", body)
            self.assertEqual((status, headers["x-amzn-errortype"]), (403, "MissingAuthenticationTokenException"))
            self.assertEqual(json.loads(answer)["Message"], "Missing Authentication Token")

    def test_half_a_signature(self):
        for header, message in (
            ("AWS4-HMAC-SHA256", "requires a signing algorithm"),
            ("AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request", "requires 'Signature' parameter"),
            ("Bearer x", "Unsupported AWS 'algorithm': 'Bearer'."),
        ):
            status, headers, body = post(self.server.endpoint + "/Groups", headers={"Authorization": header})
            self.assertEqual((status, headers["x-amzn-errortype"]), (403, "IncompleteSignatureException"))
            self.assertIn(message, json.loads(body)["Message"])

    def test_a_changed_body_and_a_changed_path(self):
        request = self.signed("/Groups", b"{}")
        self.assertEqual(self.send(request)[0], 200)
        for change in ({"body": b"{ }"}, {"path": "/GetSamplingRules"}, {"method": "GET"}):
            status, headers, _ = self.send({**request, **change})
            expected = (404, "UnknownOperationException") if "method" in change else (403, "InvalidSignatureException")
            self.assertEqual((status, headers["x-amzn-errortype"]), expected)

    def test_a_presigned_request(self):
        request = self.signed("/Groups", b"", presigned=True)
        self.assertEqual(self.send(request)[0], 200)
        self.assertEqual(self.send({**request, "body": b"{}"})[0], 403)
        self.assertEqual(self.send({**request, "path": request["path"].replace("Expires=60", "Expires=61")})[0], 403)
        with clock(-120):
            request = self.signed("/Groups", b"", presigned=True)
        self.assertIn(b"Signature expired: ", self.send(request)[2])

    def test_no_request_with_a_flipped_byte_is_accepted(self):
        randomness = random.Random(15)
        body = json.dumps({"GroupName": "flip", "FilterExpression": "fault"}).encode()
        signed = self.signed("/GetGroup", body)
        names = re.search("SignedHeaders=([^,]+)", signed["headers"]["Authorization"]).group(1).split(";")
        parts = ["method", "path", "body", "Authorization"] + names
        answers = {}
        # Each byte once, then any.
        places = [(part, index) for part in parts for index in range(len(self.value(signed, part)))]
        places += [(randomness.choice(parts), None) for _ in range(FLIPS - len(places))]
        for part, index in places:
            request = {**signed, "headers": dict(signed["headers"])}
            holder, key = (request, part) if part in request else (request["headers"], self.name(request, part.lower()))
            value = self.value(request, part)
            index, bit = randomness.randrange(len(value)) if index is None else index, 1 << randomness.randrange(8)
            changed = value[:index] + bytes([value[index] ^ bit]) + value[index + 1 :]
            holder[key] = changed
            status, kind = self.send_raw(request)
            answers[status] = answers.get(status, 0) + 1
            # 400 without a kind is the answer to what is no HTTP any more: it has met no operation.
            self.assertIn(status, (400, 403, 404), f"{part}: {changed!r}")
            self.assertFalse(status == 400 and kind, f"{part}: {changed!r} reached the operation: {kind}")
        self.assertGreater(answers[403], FLIPS / 2, answers)
        self.assertEqual(
            self.send_raw(signed), (400, "InvalidRequestException"), "unchanged, it reaches the operation, which knows no such group"
        )

    def value(self, request, part):
        value = request[part] if part in request else request["headers"][self.name(request, part.lower())]
        return value if isinstance(value, bytes) else value.encode()

    @staticmethod
    def name(request, lower):
        return next(name for name in request["headers"] if name.lower() == lower)

    def signed(self, path="/Groups", body=b"{}", region=REGION, service="xray", presigned=False):
        """A signed request as its parts."""
        host = self.server.addresses["api"]
        request = AWSRequest("POST", f"http://{host}{path}", headers={"Host": host}, data=body)
        if not presigned:
            request.headers["Content-Type"] = "application/json"
        credentials = Credentials(self.keys["access_key_id"], self.keys["secret_access_key"])
        if presigned:
            botocore.auth.SigV4QueryAuth(credentials, service, region, expires=60).add_auth(request)
        else:
            botocore.auth.SigV4Auth(credentials, service, region).add_auth(request)
        headers = dict(request.headers.items())
        headers.setdefault("Host", host)
        return {
            "method": "POST",
            "path": request.url.split(host, 1)[1],
            "headers": headers,
            "body": body,
        }

    def send(self, request):
        connection = http.client.HTTPConnection(self.server.addresses["api"], timeout=60)
        connection.request(request["method"], request["path"], request["body"], request["headers"])
        answer = connection.getresponse()
        found = answer.status, answer.headers, answer.read()
        connection.close()
        return found

    def send_raw(self, request):
        """Sends bytes as they are, which `http.client` would check. Returns the status and the error's kind."""
        def raw(value):
            return value if isinstance(value, bytes) else value.encode()

        head = raw(request["method"]) + b" " + raw(request["path"]) + b" HTTP/1.1\r\n"
        for name, value in request["headers"].items():
            head += raw(name) + b": " + raw(value) + b"\r\n"
        head += b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(request["body"])
        host, port = self.server.addresses["api"].rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=60) as stream:
            stream.sendall(head + raw(request["body"]))
            answer = b""
            while b"\r\n\r\n" not in answer:
                read = stream.recv(4096)
                if not read:
                    break
                answer += read
        kind = re.search(rb"(?i)x-amzn-errortype: (\w+)", answer)
        return int(answer.split(b" ", 2)[1]) if b" " in answer else 400, kind and kind.group(1).decode()


class DoorsTest(ServerTest):
    FLAGS = ("--access", "off", "--allow-host", "xray")

    def test_no_foreign_page_drives_any_door(self):
        for door in (self.server.endpoint, self.server.daemon):
            for headers, expected in (
                ({}, 200),
                ({"Host": "xray:2001"}, 200),
                ({"Host": "localhost:9"}, 200),
                ({"Host": "evil.example"}, 403),
                ({"Origin": "http://evil.example"}, 403),
                ({"Origin": "null"}, 403),
                ({"Origin": "http://localhost:3000"}, 403),
                ({"Sec-Fetch-Site": "cross-site"}, 403),
                ({"Origin": door}, 200),
            ):
                status, _, body = post(door + "/GetSamplingRules", headers=headers)
                self.assertEqual(status, expected, f"{door} {headers} {body}")
        # Pages are read with GET, which a name that was made to resolve to loopback could do as well.
        status, _, _ = post(self.server.endpoint + "/", None, {"Host": "evil.example"}, "GET")
        self.assertEqual(status, 403)


if __name__ == "__main__":
    unittest.main()
