// Replaces the code editor, which is most of the bundle and which no dashboard uses.
export const loader = { config() {}, init() {} };
export default function Nothing() {
  return null;
}
