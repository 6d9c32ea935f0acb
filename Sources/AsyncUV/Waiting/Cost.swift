/// What calls that are done at once cost the turn of their loop, in bytes: the time that copying these would take, about.
enum Cost {
    /// Something that is in this process's memory already.
    static let memory = 1_024
    /// A system call, besides its bytes.
    static let systemCall = 4_096
}
