public import HTTPTypes

/// Why a request is not done: the status of the answer, and a sentence for it.
public struct Refusal: Error, Equatable {
    public let status: HTTPResponse.Status
    public let reason: String

    public init(_ status: HTTPResponse.Status, _ reason: String) {
        self.status = status
        self.reason = reason
    }
}
