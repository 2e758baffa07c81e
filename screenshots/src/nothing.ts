// Stands for an editor of code, which is most of the bundle and which no board shows.
export const loader = { config() {}, init() {} };
export default function Nothing() {
  return null;
}
