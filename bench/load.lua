-- Which requests does wrk send? bench/load.py gives the words after `--`:
-- form (of one alert), list ("yes": a list of them), batch, fresh (how many in ten are
-- new), far ("yes": repeats are made on the way), distinct, names, ends (comma separated), key.
-- What repeats soon is made ready before the first request; the rest on the way.

local given, ready, ends = {}, {}, {}
local turn, new, old, fresh = 0, 0, 0, 0

local function alert(i, ending)
  return string.format(given.form, i % given.names, i, i, ending)
end

local function whole(text)
  if given.list == "yes" then text = "[" .. text .. "]" end
  return wrk.format(nil, nil, nil, text)
end

local function news(number)
  local items = {}
  for k = 1, number do
    new = new + 1
    items[k] = alert(given.distinct + new, ends[1])
  end
  return table.concat(items, ",")
end

local function olds_on_the_way(number)
  local items = {}
  for k = 1, number do
    local ending = ends[math.floor(new / given.distinct) % #ends + 1]
    items[k] = alert(new % given.distinct, ending)
    new = new + 1
  end
  return table.concat(items, ",")
end

-- A request of `size` repeats; the k-th goes on where the one before ended.
local function olds(k, size, ending)
  local items = {}
  for place = 1, size do
    items[place] = alert((k * size + place - 1) % given.distinct, ending)
  end
  return table.concat(items, ",")
end

function init(words)
  for _, word in ipairs(words) do
    local name, value = word:match("^(%w+)=(.*)$")
    given[name] = value
  end
  for _, name in ipairs({"batch", "fresh", "distinct", "names"}) do
    given[name] = tonumber(given[name])
  end
  for ending in given.ends:gmatch("[^,]+") do ends[#ends + 1] = ending end
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
  if given.key ~= "" then wrk.headers["Authorization"] = "Bearer " .. given.key end
  fresh = math.floor(given.batch * given.fresh / 10)
  old = given.batch - fresh
  if given.fresh == 10 or given.far == "yes" then return end
  for _, ending in ipairs(ends) do
    for k = 0, math.ceil(given.distinct / old) - 1 do
      local text = olds(k, old, ending)
      ready[#ready + 1] = fresh > 0 and text or whole(text)
    end
  end
end

local function again()
  turn = turn % #ready + 1
  return ready[turn]
end

local count = 0
function request()
  if given.far == "yes" then return whole(olds_on_the_way(given.batch)) end
  if old == 0 then return whole(news(fresh)) end
  if fresh > 0 then return whole(again() .. "," .. news(fresh)) end
  -- A batch too small to be split: every so many requests one is new.
  count = count + 1
  if count % 10 < given.fresh then return whole(news(given.batch)) end
  return again()
end

function done(summary, latency, _)
  local errors = summary.errors
  io.write(string.format(
    '\nFIGURES {"requests":%d,"us":%d,"bad":%d,"p50":%d,"p95":%d,"p99":%d}\n',
    summary.requests, summary.duration,
    errors.status + errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(95), latency:percentile(99)))
end
