// What starting a process costs by itself.
int main() { return 0; }
