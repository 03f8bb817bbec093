export const serve = async (..._: readonly unknown[]): Promise<0> => Promise.resolve(0);
