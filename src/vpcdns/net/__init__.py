"""Linux sockets without DNS: batches of datagrams, epoll, binding, streams."""
