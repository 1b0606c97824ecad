-- wrk's script: POST {"lead": …} with the lines of LEADS in turn, KEY as the API key. Requests are made beforehand.
local requests, at = {}, 0

function init()
  local headers = {["Content-Type"] = "application/json", ["Authorization"] = "Bearer " .. os.getenv("KEY")}
  for line in io.lines(os.getenv("LEADS")) do
    requests[#requests + 1] = wrk.format("POST", "/v1/score", headers, '{"lead":' .. line .. '}')
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end
