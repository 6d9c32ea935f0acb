import Readiness

/// Asks again and again, with a unit of its own work between two questions.
struct NonBlockingModel: IOModel {
    let name = "non-blocking"
    let summary = ["recv answers at once, so it", "must be asked again and again"]

    func receiveAll(_ reader: inout Reader) throws -> Track? {
        try reader.socket.setBlocking(false)
        var received = 0
        while received < reader.setting.messages {
            if try reader.receive(mayBlock: false) { received += 1 } else { reader.doWork() }
        }
        return nil
    }
}
