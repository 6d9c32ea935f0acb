/// The call sleeps until the data is there, then copies. Blocked in both phases.
struct BlockingModel: IOModel {
    let name = "blocking"
    let summary = ["recv sleeps until there is", "data, then copies it"]

    func receiveAll(_ reader: inout Reader) throws -> Track? {
        for _ in 0..<reader.setting.messages { _ = try reader.receive(mayBlock: true) }
        return nil
    }
}
