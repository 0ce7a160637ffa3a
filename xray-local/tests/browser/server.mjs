// A running xray-local with its data in memory, and what sends to it.

import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import dgram from "node:dgram";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

const PROGRAM = process.env.XRAY_LOCAL ?? "xray-local";
export const HEADER = '{"format":"json","version":1}\n';

// Starts a server on free ports.
export async function start(...flags) {
  const free = ["--udp", "127.0.0.1:0", "--tcp", "127.0.0.1:0"];
  if (!flags.includes("--data")) free.push("--data", ":memory:");
  if (!flags.includes("--api")) free.push("--api", "127.0.0.1:0");
  const child = spawn(PROGRAM, ["serve", ...free, "--json", ...flags], { stdio: ["ignore", "pipe", "inherit"] });
  const addresses = await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).once("line", (line) => resolve(JSON.parse(line)));
    child.once("exit", (status) => reject(new Error(`xray-local ended with status ${status}`)));
  });
  const [host, port] = addresses.udp.split(":");
  const socket = dgram.createSocket("udp4");
  return {
    url: `http://${addresses.api}`,
    token: new URL(addresses.console).searchParams.get("token"),
    daemon: addresses.udp === addresses.tcp ? addresses.udp : `tcp:${addresses.tcp} udp:${addresses.udp}`,
    // Sends documents as datagrams.
    async send(...documents) {
      for (const document of documents) {
        const bytes = typeof document === "string" ? document : HEADER + JSON.stringify(document);
        await new Promise((resolve, reject) => socket.send(bytes, Number(port), host, (error) => (error ? reject(error) : resolve())));
      }
    },
    // Calls an operation of the API, unsigned.
    async call(path, body) {
      const answer = await fetch(`http://${addresses.api}${path}`, { method: "POST", body: JSON.stringify(body) });
      return answer.json();
    },
    // Puts documents by PutTraceSegments, which answers after the commit. X-Ray takes 50 at a time.
    async put(documents, each = 50) {
      const strings = documents.map((document) => JSON.stringify(document));
      for (let at = 0; at < strings.length; at += each) {
        const answer = await this.call("/TraceSegments", { TraceSegmentDocuments: strings.slice(at, at + each) });
        if (answer.UnprocessedTraceSegments?.length !== 0) throw new Error(JSON.stringify(answer));
      }
    },
    // Sends demo traffic, as the button does.
    async demo() {
      const answer = await fetch(`http://${addresses.api}/console/demo`, {
        method: "POST", headers: { "content-type": "application/json" }, body: "{}" });
      if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
    },
    async stop() {
      socket.close();
      child.removeAllListeners("exit");
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      return ended;
    },
  };
}

// Runs a program with an environment of its own.
export const run = (program, args, environment) =>
  promisify(execFile)(program, args, { env: { ...process.env, ...environment } });

let count = 0;
export function traceId(seconds = Date.now() / 1000) {
  count += 1;
  return `1-${Math.floor(seconds).toString(16).padStart(8, "0")}-${process.pid.toString(16).padStart(12, "0")}${count.toString(16).padStart(12, "0")}`;
}

export const spanId = () => randomBytes(8).toString("hex");

// A complete segment of the last second.
export function segment(members = {}) {
  const now = Date.now() / 1000;
  return { id: spanId(), name: "shop", trace_id: traceId(), start_time: now - 0.5, end_time: now, ...members };
}

// A trace with this many subsegments, in documents that are small enough.
export function large(rows) {
  const root = segment({ name: "large" });
  root.start_time = root.end_time - 20;
  const documents = [root];
  const each = 100;
  for (let at = 0; at < rows - 1; at += each) {
    const width = 19 / rows;
    const start = root.start_time + width * at;
    const group = {
      type: "subsegment", trace_id: root.trace_id, parent_id: root.id, id: spanId(), name: `batch ${at / each}`,
      start_time: start, end_time: start + width * each,
      subsegments: Array.from({ length: Math.min(each, rows - 1 - at) - 1 }, (_, own) => ({
        id: spanId(), name: `step ${at + own}`, start_time: start + width * own, end_time: start + width * (own + 1),
        ...((at + own) % 9973 === 0 && at > 0 ? { fault: true } : {}),
      })),
    };
    documents.push(group);
  }
  return { id: root.trace_id, documents };
}
