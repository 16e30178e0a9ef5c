-- Which requests does wrk send to many tenants? bench/growth.py gives the words after
-- `--`: tenants (a file of slugs and keys), form (of a standing alert), newer (of a new
-- one), batch, fresh (how many in ten are new), each (standing alerts of a tenant),
-- names, ends (comma separated). Tenants take turns, and so do a tenant's alerts.

local given, tenants, ends = {}, {}, {}
local turn, new = 0, 0

function init(words)
  for _, word in ipairs(words) do
    local name, value = word:match("^(%w+)=(.*)$")
    given[name] = value
  end
  for _, name in ipairs({"batch", "fresh", "each", "names"}) do
    given[name] = tonumber(given[name])
  end
  for ending in given.ends:gmatch("[^,]+") do ends[#ends + 1] = ending end
  for line in io.lines(given.tenants) do
    local slug, key = line:match("^(%S+) (%S+)$")
    local headers = {["Content-Type"] = "application/json", Authorization = "Bearer " .. key}
    tenants[#tenants + 1] = {path = "/t/" .. slug .. "/api/v2/alerts", headers = headers, at = 0}
  end
end

function request()
  turn = turn % #tenants + 1
  local tenant, items = tenants[turn], {}
  local fresh = math.floor(given.batch * given.fresh / 10)
  for k = 1, fresh do
    new = new + 1
    items[k] = string.format(given.newer, new % given.names, new, new, ends[1])
  end
  for k = fresh + 1, given.batch do
    local i = tenant.at % given.each
    -- What is said again ends later, as with Prometheus (bench/forms.py).
    local ending = ends[math.floor(tenant.at / given.each) % #ends + 1]
    items[k] = string.format(given.form, i % given.names, i, i, ending)
    tenant.at = tenant.at + 1
  end
  local body = "[" .. table.concat(items, ",") .. "]"
  return wrk.format("POST", tenant.path, tenant.headers, body)
end

function done(summary, latency, _)
  local errors = summary.errors
  io.write(string.format(
    '\nFIGURES {"requests":%d,"us":%d,"bad":%d,"p50":%d,"p95":%d,"p99":%d}\n',
    summary.requests, summary.duration,
    errors.status + errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(95), latency:percentile(99)))
end
