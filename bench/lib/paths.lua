-- wrk: GETs the paths of a file in turn. Each thread begins elsewhere.
local requests, place = {}, 0

function setup(thread)
    thread:set("seed", tostring(thread))
end

function init(arguments)
    for path in io.lines(arguments[1]) do
        requests[#requests + 1] = wrk.format("GET", path)
    end
    place = tonumber(seed:match("(%x+)$"), 16) % #requests
end

function request()
    place = place % #requests + 1
    return requests[place]
end
