"""Linux sockets without DNS (an import contract): batches of datagrams, epoll, binding, streams."""
