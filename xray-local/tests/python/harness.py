"""A running xray-local, identities on it, and clients that sign as them.

`XRAY_LOCAL` names the program. Every test class starts a server of its own on free ports, with its data in a folder that is
removed afterwards.
"""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request

import boto3
import botocore.config

PROGRAM = os.environ.get("XRAY_LOCAL", "xray-local")
REPOSITORY = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
REGION = "us-east-1"
ACCOUNT = "123456789012"
# Nothing of the user's own configuration may reach the clients.
for name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[name]
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull


class Server:
    """A server in a process of its own."""

    def __init__(self, *flags):
        self.folder = tempfile.mkdtemp(prefix="xray-local-")
        self.data = os.path.join(self.folder, "xray.db")
        arguments = ["--udp", "127.0.0.1:0", "--tcp", "127.0.0.1:0", "--api", "127.0.0.1:0", "--data", self.data]
        self.process = subprocess.Popen(
            [PROGRAM, "serve", *arguments, "--json", *flags], stdout=subprocess.PIPE, text=True
        )
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"xray-local ended with status {self.process.wait()}")
        self.addresses = json.loads(line)

    def stop(self):
        self.process.terminate()
        status = self.process.wait(timeout=60)
        self.process.stdout.close()
        shutil.rmtree(self.folder)
        if status:
            raise RuntimeError(f"xray-local ended with status {status}")

    @property
    def endpoint(self):
        return f"http://{self.addresses['api']}"

    @property
    def daemon(self):
        return f"http://{self.addresses['tcp']}"

    @property
    def daemon_address(self):
        udp, tcp = self.addresses["udp"], self.addresses["tcp"]
        return udp if udp == tcp else f"tcp:{tcp} udp:{udp}"

    def command(self, *arguments):
        """Runs a command of xray-local on the data of this server."""
        done = subprocess.run([PROGRAM, *arguments, "--data", self.data], capture_output=True, text=True)
        if done.returncode != 0:
            raise AssertionError(f"{arguments}: {done.stderr}")
        return done.stdout

    def file(self, name, content):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(content if isinstance(content, str) else json.dumps(content))
        return path

    def identity(self, name, *policies, **options):
        """Adds an identity, and returns its keys. Policies are names, paths or documents."""
        arguments = []
        for index, policy in enumerate(policies):
            if isinstance(policy, dict):
                policy = self.file(f"{name}-{index}.json", policy)
            arguments += ["--policy", policy]
        for option, value in options.items():
            if isinstance(value, dict):
                value = self.file(f"{name}-{option}.json", value)
            arguments += [f"--{option}", value]
        return json.loads(self.command("identity", "add", name, *arguments, "--json"))

    def client(self, keys=None, service="xray", endpoint=None, **options):
        """A boto3 client that signs with these keys, and tries each call once."""
        keys = keys or {"access_key_id": "test", "secret_access_key": "test"}
        config = botocore.config.Config(retries={"max_attempts": 0}, **options)
        return boto3.session.Session().client(
            service,
            endpoint_url=endpoint or self.endpoint,
            region_name=REGION,
            aws_access_key_id=keys["access_key_id"],
            aws_secret_access_key=keys["secret_access_key"],
            aws_session_token=keys.get("session_token"),
            config=config,
        )

    def send(self, *documents):
        """Sends documents to the daemon's UDP port."""
        host, port = self.addresses["udp"].rsplit(":", 1)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for document in documents:
                header = b'{"format":"json","version":1}\n'
                sender.sendto(header + json.dumps(document).encode(), (host, int(port)))


class ServerTest(unittest.TestCase):
    """A test with a server. `FLAGS` are the server's."""

    FLAGS = ()

    @classmethod
    def setUpClass(cls):
        cls.server = Server(*cls.FLAGS)

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()


def post(url, body=b"{}", headers=None, method="POST"):
    """An unsigned request. Returns status, headers and body."""
    request = urllib.request.Request(url, data=body, headers=headers or {}, method=method)
    request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


_count = 0


def trace_id(at=None):
    """A new trace id of now."""
    global _count
    _count += 1
    return f"1-{int(at or time.time()):08x}-{os.getpid():012x}{_count:012x}"


def segment(trace, name="shop", **members):
    """A complete segment of the last second."""
    now = time.time()
    own = {"id": f"{os.urandom(8).hex()}", "name": name, "trace_id": trace, "start_time": now - 0.5, "end_time": now}
    return {**own, **members}


def until(question, patience=60):
    """Asks until the answer is true, and returns it."""
    deadline = time.monotonic() + patience
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError("this did not come true in time")
        time.sleep(0.05)
