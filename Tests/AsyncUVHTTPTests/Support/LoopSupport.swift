@_exported public import AsyncTestSupport
