// What does the list of silences do by itself? New ones; times in the reader's zone.

import "./chrome.js";
import { silence } from "./silence.js";

const button = document.getElementById("new-silence");
if (button) {
  button.hidden = false;
  button.addEventListener("click", () => silence());
}
document.addEventListener("silenced", () => setTimeout(() => location.reload(), 600));
