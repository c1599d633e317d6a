-- wrk: creates an image for each that it has deleted.
local created, create, head = {}, nil, {}

function init()
    for name, value in pairs(wrk.headers) do
        head[name] = value
    end
    local body = '{"name": "bench", "disk_format": "qcow2", "container_format": "bare"'
    for number = 1, 10 do
        body = body .. string.format(', "property_%d": "value of %d"', number, number)
    end
    head["Content-Type"] = "application/json"
    create = wrk.format("POST", "/v2/images", head, body .. "}")
end

function request()
    local image = table.remove(created)
    return image and wrk.format("DELETE", "/v2/images/" .. image) or create
end

function response(status, headers, body)
    if status == 201 then
        created[#created + 1] = body:match('"id": ?"([%x-]+)"')
    end
end
