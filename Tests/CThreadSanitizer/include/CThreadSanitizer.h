// Empty: linking is all there is to do. See mutex.c.
