// A program with the official SDK for Node: goes on with the trace of the header that it is given, and prints the header
// for the service that it calls.
"use strict";

const AWSXRay = require("aws-xray-sdk");

const given = AWSXRay.utils.processTraceData(process.argv[2]);
AWSXRay.middleware.disableCentralizedSampling();
const segment = new AWSXRay.Segment("node", given.root, given.parent);
segment.addAnnotation("language", "node");
const call = segment.addNewSubsegment("rust");
call.namespace = "remote";
call.http = { request: { method: "GET", url: "http://rust/" }, response: { status: 200 } };
call.close();
segment.close();
console.log(`Root=${given.root};Parent=${call.id};Sampled=1`);
