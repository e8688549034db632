-- Sends the requests of the file named by the environment, each once.
local file = assert(io.open(os.getenv("REQUESTS"), "rb"))

request = function()
  local length = tonumber(file:read(10) or "")
  if not length then
    wrk.thread:stop()
    return "GET /_sim/counts HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"
  end
  return file:read(length)
end
