/** libp2p calls `Promise.withResolvers`, which Node 20 lacks. To be imported before it. */

interface Resolvers<T> {
  promise: Promise<T>;
  resolve: (value: T | PromiseLike<T>) => void;
  reject: (reason?: unknown) => void;
}

const target = Promise as unknown as { withResolvers?: <T>() => Resolvers<T> };

target.withResolvers ??= function withResolvers<T>(): Resolvers<T> {
  const resolvers = {} as Resolvers<T>;
  resolvers.promise = new Promise<T>((resolve, reject) => Object.assign(resolvers, { resolve, reject }));
  return resolvers;
};
