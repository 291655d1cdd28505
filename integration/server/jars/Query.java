import java.io.BufferedReader;
import java.io.InputStreamReader;
import org.apache.iotdb.isession.SessionDataSet;
import org.apache.iotdb.session.Session;

/**
 * Runs statements on an IoTDB and prints what queries give: columns and rows, with tabs between. Without statements it
 * reads them from its input, a line each, and prints a line with a dot after each answer.
 */
public class Query {
  public static void main(String[] a) throws Exception {
    Session s = new Session.Builder().host(a[0]).port(Integer.parseInt(a[1])).username(a[2]).password(a[3]).build();
    s.open();
    for (int q = 4; q < a.length; q++) run(s, a[q]);
    if (a.length == 4) {
      BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        try {
          run(s, line);
        } catch (Exception e) {
          System.out.println("error: " + String.valueOf(e.getMessage()).replace('\n', ' '));
        }
        System.out.println(".");
        System.out.flush();
      }
    }
    s.close();
  }

  static void run(Session s, String statement) throws Exception {
    if (!statement.matches("(?is)(select|show|count)\\b.*")) {
      s.executeNonQueryStatement(statement);
      return;
    }
    try (SessionDataSet d = s.executeQueryStatement(statement)) {
      System.out.println(String.join("\t", d.getColumnNames()));
      while (d.hasNext()) System.out.println(d.next());
    }
  }
}
