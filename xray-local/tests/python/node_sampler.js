// The official SDK's central sampler for Node: fetches the rules, decides, reports, and prints what it got.
"use strict";

const AWSXRay = require("aws-xray-sdk");
const core = require.resolve("aws-xray-sdk-core");
const path = require("path");
const folder = path.join(path.dirname(core), "middleware", "sampling");
const now = () => Math.floor(Date.now() / 1000);
const connector = require(path.join(folder, "service_connector"));
const rules = require(path.join(folder, "rule_cache"));

AWSXRay.setDaemonAddress(process.env.AWS_XRAY_DAEMON_ADDRESS);
connector.fetchSamplingRules((error, fetched) => {
  if (error) throw error;
  rules.loadRules(fetched);
  const request = { serviceName: "node-service", urlPath: "/", httpMethod: "GET", host: "h" };
  rules.lastUpdated = now();
  const rule = rules.getMatchedRule(request, now());
  rule.incrementRequestCount();
  rule.incrementSampledCount();
  connector.fetchTargets([rule], (error, answer) => {
    if (error) throw error;
    const { quota, rate } = answer[rule.getName()];
    console.log(JSON.stringify({ rule: rule.getName(), quota, rate }));
  });
});
